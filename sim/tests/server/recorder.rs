//! The recording servers' own service.

use super::{
    soap::{BASIC, USER, between, login, send, sim},
    support::{Response, Sim},
};

const PATH: &str = "/RecorderCommandService/RecorderCommandService.asmx";
const RECORDING: &str = "f9c62604-d0c5-4050-ae25-72de51639b14";

fn call(sim: &Sim, token: &str, method: &str, arguments: &str) -> Response {
    let text = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <{method} xmlns=\"http://videoos.net/2/XProtectCSRecorderCommand\"><token>{token}</token>{arguments}\
         </{method}></s:Body></s:Envelope>"
    );
    // Who calls is in the token; what is in the header counts for nothing.
    send(&mut sim.client(), PATH, "Basic eDp5", &text)
}

/// A session of `user1`, and the id of a camera.
fn session(sim: &Sim) -> (String, String) {
    let token = login(sim, BASIC, USER, "");
    let text = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <GetConfiguration xmlns=\"http://videoos.net/2/XProtectCSServerCommand\"><token>{token}</token>\
         </GetConfiguration></s:Body></s:Envelope>"
    );
    let body = send(&mut sim.client(), BASIC, USER, &text).body;
    let camera = between(body.split_once("<CameraInfo>").unwrap().1, "DeviceId").to_owned();
    (token, camera)
}

#[test]
fn a_session_of_the_management_server_opens_it() {
    let sim = sim(&[]);
    let (token, camera) = session(&sim);
    let device = format!("<deviceId>{camera}</deviceId>");
    let types = call(&sim, &token, "SequencesGetTypes", &device);
    assert_eq!(types.status, 200, "{}", types.body);
    assert!(types.body.contains(RECORDING));
    let live = format!("{device}<maxWidth>100</maxWidth><maxHeight>80</maxHeight>");
    let live = call(&sim, &token, "JPEGGetLive", &live);
    assert!(between(&live.body, "Data").starts_with("/9j/"), "a picture");
    let around = format!(
        "{device}<sequenceType>{RECORDING}</sequenceType><centerTime>2025-01-31T08:15:30</centerTime>\
         <maxCountBefore>1</maxCountBefore><maxCountAfter>1</maxCountAfter>"
    );
    let around = call(&sim, &token, "SequencesGetAround", &around);
    assert_eq!(between(&around.body, "TimeBegin"), "2025-01-31T08:10:00.0000000Z");
    assert_eq!(around.body.matches("<SequenceEntry>").count(), 2);
    let by_hand = |method: &str, wanted: &str| {
        let reply = call(&sim, &token, method, &format!("<deviceIds><guid>{camera}</guid></deviceIds>"));
        assert!(reply.body.contains(wanted), "{}", reply.body);
    };
    by_hand("StartManualRecording", "<ResultCode>0</ResultCode>");
    by_hand("IsManualRecording", "<IsManualRecording>true</IsManualRecording>");
    by_hand("StopManualRecording", "<ResultCode>0</ResultCode>");
    by_hand("IsManualRecording", "<IsManualRecording>false</IsManualRecording>");
}

#[test]
fn other_tokens_and_methods_have_numbers() {
    let sim = sim(&[]);
    let other = Sim::start(&["--name", "B", "--cameras", "6", "--event-rate", "0"]);
    let (jwt, foreign) = (sim.token("user1"), login(&other, BASIC, USER, ""));
    let own = login(&sim, BASIC, USER, "");
    for (token, method, number, below) in [
        ("", "JPEGGetLive", "20001", "1"),
        (&jwt, "JPEGGetLive", "20001", "2"),
        (&foreign, "JPEGGetLive", "20001", "2"),
        (&own, "JPEGGetDead", "40000", "0"),
    ] {
        let reply = call(&sim, token, method, "");
        assert_eq!(reply.status, 500);
        let numbers = (between(&reply.body, "ErrorNumber"), between(&reply.body, "SubErrorNumber"));
        assert_eq!(numbers, (number, below), "{}", reply.body);
    }
}

#[test]
fn it_is_no_part_of_the_management_server() {
    let sim = sim(&[]);
    let (token, camera) = session(&sim);
    let types = || call(&sim, &token, "SequencesGetTypes", &format!("<deviceId>{camera}</deviceId>")).status;
    sim.fault("soap", "page503");
    assert_eq!(types(), 200);
    sim.fault("all", "page503");
    assert_eq!(types(), 503);
    sim.heal();
    assert_eq!(types(), 200);
    assert_eq!(sim.status(&format!("{PATH}?wsdl")), 200);
}
