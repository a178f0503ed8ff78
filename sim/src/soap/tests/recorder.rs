use super::*;
use crate::stamp::Stamp;

const RECORDER: &str = "/RecorderCommandService/RecorderCommandService.asmx";
const NAMESPACE: &str = "http://videoos.net/2/XProtectCSRecorderCommand";
const RECORDING: &str = "f9c62604-d0c5-4050-ae25-72de51639b14";
const MOTION: &str = "53cb5e33-2183-44bd-9491-8364d2457480";

fn ask(api: &Api, method: &str, arguments: &str) -> Reply {
    let body = format!("<{method} xmlns=\"{NAMESPACE}\">{arguments}</{method}>");
    let request = Request::post(RECORDER).header("content-type", "text/xml");
    let request = request.body(Bytes::from(envelope(V11, &body))).unwrap();
    let (parts, body) = api.handle(request).into_parts();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// A user of the recording servers, with a device.
struct Viewer {
    user: User,
    device: String,
}

impl Viewer {
    fn new(api: &Arc<Api>, name: &str) -> Self {
        let user = User::basic(api, name);
        let device = texts(&user.ask("GetConfiguration", ""), "DeviceId").swap_remove(0);
        Self { user, device }
    }

    fn call(&self, method: &str, arguments: &str) -> Reply {
        ask(&self.user.api, method, &format!("<token>{}</token>{arguments}", self.user.token))
    }

    /// A call about the device.
    fn get(&self, method: &str, arguments: &str) -> Element {
        self.get_of(&self.device, method, arguments)
    }

    fn get_of(&self, device: &str, method: &str, arguments: &str) -> Element {
        result(&self.call(method, &format!("<deviceId>{device}</deviceId>{arguments}")), method)
    }

    fn manual(&self, method: &str, devices: &[&str], part: &str) -> Vec<String> {
        let ids: String = devices.iter().map(|id| format!("<guid>{id}</guid>")).collect();
        texts(&result(&self.call(method, &format!("<deviceIds>{ids}</deviceIds>")), method), part)
    }
}

fn at(seconds: i64) -> String {
    Stamp::from_seconds(seconds).wire()
}

/// The middle of a pause, a good while ago: recordings last from 0 to 120.
fn pause() -> i64 {
    (Stamp::now().seconds() - 86_400).div_euclid(600) * 600 + 300
}

fn number(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 500, "{}", reply.text);
    let root = parse(reply.text.as_bytes()).unwrap();
    let detail = root.child("Body").unwrap().child("Fault").unwrap().child("detail").unwrap();
    let part = |name: &str| detail.child(name).unwrap().text.clone();
    (part("ErrorNumber"), part("SubErrorNumber"))
}

#[test]
fn only_a_soap_token_opens_it() {
    let api = shared();
    let viewer = Viewer::new(&api, "user1");
    let numbers = |arguments: &str| number(&ask(&api, "SequencesGetTypes", arguments));
    let wanted = |number: &str, below: &str| (number.to_owned(), below.to_owned());
    assert_eq!(numbers(""), wanted("20001", "1"));
    assert_eq!(numbers("<token/>"), wanted("20001", "1"));
    for token in [login(&api, "user1"), viewer.user.token.to_lowercase()] {
        assert_eq!(numbers(&format!("<token>{token}</token>")), wanted("20001", "2"));
    }
    let reply = ask(&api, "SequencesGetTypes", "<token>x</token>");
    assert_eq!(fault(&reply).1, "Token invalid");
    assert_eq!(number(&viewer.call("PTZGetSessionInfo", "")).0, "40000");
    let twelve = format!("<SequencesGetTypes xmlns=\"{NAMESPACE}\"><token>x</token></SequencesGetTypes>");
    let reply = post(&api, RECORDER, "", &envelope(V12, &twelve));
    assert!(reply.text.contains("ErrorNumber=\"20001\" SubErrorNumber=\"2\""), "{}", reply.text);
    assert_eq!(texts(&viewer.get("SequencesGetTypes", ""), "Id").len(), 3);

    let expired = crate::testing::api(|_| {});
    let viewer = Viewer::new(&expired, "user1");
    expired.set_clock_offset(4 * 3600 + 1);
    assert_eq!(number(&viewer.call("SequencesGetTypes", "")), wanted("20001", "2"));
}

#[test]
fn nobody_gets_at_devices_that_are_hidden_or_off() {
    let api = shared();
    let (guard, all) = (Viewer::new(&api, "user2"), Viewer::new(&api, "user1"));
    let device = |id: &str| format!("<deviceId>{id}</deviceId>");
    let admin = Client::new(api.clone(), "admin");
    let cameras = admin.ids("cameras?disabled");
    let on = admin.ids("cameras");
    let hidden = on.iter().find(|id| cameras[25..].contains(id)).unwrap();
    let off = cameras.iter().find(|id| !on.contains(id)).unwrap();
    let live = "<maxWidth>8</maxWidth><maxHeight>8</maxHeight>";
    for (viewer, id) in [(&guard, hidden.as_str()), (&all, off), (&all, INSTANCE)] {
        assert_denied(&viewer.call("SequencesGetTypes", &device(id)));
        assert_denied(&viewer.call("JPEGGetLive", &format!("{}{live}", device(id))));
        assert_eq!(viewer.manual("StartManualRecording", &[id], "ResultCode"), ["1"]);
        assert_eq!(viewer.manual("IsManualRecording", &[id], "IsManualRecording"), ["false"]);
    }
    assert_eq!(texts(&all.get_of(hidden, "JPEGGetLive", live), "Data").len(), 1);
}

#[test]
fn sequences_agree_with_the_configuration_api() {
    let api = shared();
    let viewer = Viewer::new(&api, "user1");
    let time = pause();
    let kind = format!("<sequenceType>{MOTION}</sequenceType>");
    let begins = |found: &Element| texts(found, "TimeBegin");
    let span = format!(
        "{kind}<centerTime>{}</centerTime><maxTimeBefore><MicroSeconds>1800000000</MicroSeconds></maxTimeBefore>\
         <maxCountBefore>2</maxCountBefore><maxTimeAfter><MicroSeconds>1000000000</MicroSeconds></maxTimeAfter>\
         <maxCountAfter>5</maxCountAfter>",
        at(time)
    );
    let found = viewer.get("SequencesGetAroundWithSpan", &span);
    assert_eq!(begins(&found), [time - 900, time - 300, time + 300, time + 900].map(at));
    assert_eq!(texts(&found, "TimeTrigged")[0], at(time - 895));
    let admin = Client::new(api.clone(), "admin");
    let task = json!({
        "sequenceType": "MotionSequence", "time": at(time), "timeBefore": "00:30:00", "timeAfter": "00:16:40",
        "maxCountBefore": 2, "maxCountAfter": 5,
    });
    let items =
        admin.call("POST", &format!("cameras/{}?task=GetSequences", viewer.device), &task).expect(200);
    let items = items["result"]["items"].as_array().unwrap().clone();
    assert_eq!(
        texts(&found, "TimeEnd"),
        items.iter().map(|item| item["timeEnd"].as_str().unwrap()).collect::<Vec<_>>()
    );

    let around = format!(
        "{kind}<centerTime>{}</centerTime><maxCountBefore>1</maxCountBefore><maxCountAfter>2</maxCountAfter>",
        at(time - 200)
    );
    let wanted = [time - 900, time - 300, time + 300].map(at);
    assert_eq!(
        begins(&viewer.get("SequencesGetAround", &around)),
        wanted,
        "what covers the time is after it"
    );
    let get = |from: i64, to: i64, most: i64| {
        let times = format!("<minTime>{}</minTime><maxTime>{}</maxTime>", at(from), at(to));
        begins(&viewer.get("SequencesGet", &format!("{kind}{times}<maxCount>{most}</maxCount>")))
    };
    assert_eq!(get(time, time + 86_400 * 9, 2), [time + 300, time + 900].map(at));
    assert_eq!(get(time, time + 299, 9), [""; 0]);
    assert_eq!(get(Stamp::now().seconds() + 1200, Stamp::now().seconds() + 9000, 9), [""; 0], "the future");
    assert_eq!(get(time + 9, time, 9), [""; 0]);
}

#[test]
fn pictures_are_where_recordings_are() {
    let viewer = Viewer::new(&shared(), "user1");
    let time = pause();
    let picture = |method: &str, time: i64| {
        let found = viewer.get(method, &format!("<time>{}</time>", at(time)));
        let data = texts(&found, "Data").first().map(|data| BASE64_STANDARD.decode(data).unwrap());
        (texts(&found, "Time").swap_remove(0), data)
    };
    for (method, asked, given) in [
        ("JPEGGetAt", time, time - 180),
        ("JPEGGetAt", time + 250, time + 300),
        ("JPEGGetAtOrBefore", time + 250, time - 180),
        ("JPEGGetAtOrAfter", time - 100, time + 300),
        ("JPEGGetAtOrAfter", time + 310, time + 310),
        ("JPEGGetAtOrBefore", time + 310, time + 310),
    ] {
        let (found, data) = picture(method, asked);
        assert_eq!(found, at(given), "{method}");
        assert!(data.unwrap().starts_with(&[0xFF, 0xD8]));
    }
    let future = picture("JPEGGetAtOrAfter", Stamp::now().seconds() + 3600);
    assert_eq!(future, ("0001-01-01T00:00:00.0000000".to_owned(), None));
    let live = viewer.get("JPEGGetLive", "<maxWidth>300</maxWidth><maxHeight>200</maxHeight>");
    let data = BASE64_STANDARD.decode(&texts(&live, "Data")[0]).unwrap();
    assert!(data.windows(5).any(|part| part == [8, 0, 200, 1, 44]));
}

#[test]
fn recordings_by_hand_are_those_of_the_configuration_api() {
    let api = crate::testing::api(|_| {});
    let viewer = Viewer::new(&api, "user1");
    let device = viewer.device.as_str();
    let admin = Client::new(api.clone(), "admin");
    let task = |name: &str| {
        admin.call("POST", &format!("cameras/{device}?task={name}"), &json!({})).expect(200);
    };
    let is = || viewer.manual("IsManualRecording", &[device, INSTANCE], "IsManualRecording");
    assert_eq!(is(), ["false", "false"]);
    for _ in 0..2 {
        let done = viewer.manual("StartManualRecording", &[device, INSTANCE], "ResultCode");
        assert_eq!(done, ["0", "1"]);
    }
    assert_eq!(is(), ["true", "false"]);
    task("StopRecording");
    assert_eq!(is(), ["false", "false"]);
    task("StartRecording");
    assert_eq!(is(), ["true", "false"]);
    assert_eq!(viewer.manual("StopManualRecording", &[device], "Message"), ["Success"]);
    assert_eq!(is(), ["false", "false"]);
    viewer.manual("StartManualRecording", &[device], "Message");
    api.set_clock_offset(301);
    assert_eq!(is(), ["false", "false"], "five minutes are the most");
}

#[test]
fn the_time_line_has_a_bit_an_interval() {
    let viewer = Viewer::new(&shared(), "user1");
    let line = |begin: i64, micros: i64, count: usize| {
        format!(
            "<deviceId>{}</deviceId><timeLineInformationTypes><guid>{RECORDING}</guid><guid>{MOTION}</guid>\
             </timeLineInformationTypes><timeLineInformationBeginTime>{}</timeLineInformationBeginTime>\
             <timeLineInformationInterval><MicroSeconds>{micros}</MicroSeconds></timeLineInformationInterval>\
             <timeLineInformationCount>{count}</timeLineInformationCount>",
            viewer.device,
            at(begin)
        )
    };
    const METHOD: &str = "TimeLineInformationGet";
    let data = |begin, micros, count| {
        let found = result(&viewer.call(METHOD, &line(begin, micros, count)), METHOD);
        assert_eq!(texts(&found, "Type").len(), 2);
        BASE64_STANDARD.decode(&texts(&found, "Data")[1]).unwrap()
    };
    let begin = pause() - 300;
    // Two minutes of every ten, with the second at their end.
    assert_eq!(data(begin, 60_000_000, 12), [0b0000_0111, 0b0000_1100]);
    assert_eq!(data(begin + 130, 1_000_000, 3), [0]);
    assert_eq!(data(Stamp::now().seconds() + 700, 60_000_000, 20), [0, 0, 0]);
    assert_eq!(viewer.call(METHOD, &line(begin, 0, 3)).status, 500);
    assert_eq!(viewer.call(METHOD, &line(begin, 1, 1_000_000)).status, 500);
    assert_eq!(data(begin, 86_400_000_000 * 36_500, 10_000).len(), 1250);
}

#[test]
fn odd_arguments_get_a_fault() {
    let viewer = Viewer::new(&shared(), "user1");
    let device = format!("<deviceId>{}</deviceId>", viewer.device);
    for (method, arguments) in [
        ("SequencesGetTypes", "<deviceId>x</deviceId>".to_owned()),
        ("SequencesGet", format!("{device}<sequenceType>{INSTANCE}</sequenceType>")),
        ("JPEGGetAt", format!("{device}<time>soon</time>")),
        ("JPEGGetLive", format!("{device}<maxWidth>0</maxWidth><maxHeight>9</maxHeight>")),
        ("IsManualRecording", "<deviceIds><guid>x</guid></deviceIds>".to_owned()),
        (
            "StartManualRecording",
            format!("<deviceIds>{}</deviceIds>", format!("<a>{INSTANCE}</a>").repeat(1001)),
        ),
    ] {
        assert_eq!(fault(&viewer.call(method, &arguments)).0, "a:DeserializationFailed", "{method}");
    }
    for time in ["0001-01-01T00:00:00", "9999-12-31T23:59:59"] {
        for method in ["JPEGGetAt", "JPEGGetAtOrBefore", "JPEGGetAtOrAfter"] {
            assert_eq!(viewer.call(method, &format!("{device}<time>{time}</time>")).status, 200);
        }
    }
}
