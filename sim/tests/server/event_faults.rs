use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::socket::{Socket, everything, inject, quiet};
use super::support::{Sim, eventually};

const SITE: [&str; 8] = ["--seed", "5", "--cameras", "20", "--event-rate", "200", "--jitter", "0ms"];

/// Two instances of one site.
fn pair() -> [Sim; 2] {
    [Sim::start(&SITE), Sim::start(&[&SITE[..], &["--name", "B"]].concat())]
}

/// The oracle by physical number.
fn oracle(sim: &Sim) -> BTreeMap<i64, Value> {
    let events = sim.get("/events");
    let events = events.as_array().unwrap().iter();
    events.map(|event| (event["physical"].as_i64().unwrap(), event.clone())).collect()
}

/// What both have seen from this number on, at least `count`, with a distance from the last that tells lost from late.
fn both_since(sims: &[Sim; 2], first: i64, count: i64) -> [BTreeMap<i64, Value>; 2] {
    eventually(|| {
        let all = [oracle(&sims[0]), oracle(&sims[1])];
        let last = all.iter().map(|events| *events.keys().next_back().unwrap_or(&0)).min()? - 100;
        let within = |events: &BTreeMap<i64, Value>| -> BTreeMap<i64, Value> {
            events.range(first..last.max(first)).map(|(n, event)| (*n, event.clone())).collect()
        };
        (last - first > count).then(|| [within(&all[0]), within(&all[1])])
    })
}

/// The number of the last event so far.
fn latest(sim: &Sim) -> i64 {
    eventually(|| oracle(sim).keys().next_back().copied())
}

fn time(event: &Value) -> String {
    event["time"].as_str().unwrap().to_owned()
}

/// A time of day in milliseconds.
fn millis(event: &Value) -> i64 {
    let time = time(event);
    let part = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap();
    ((part(11, 13) * 60 + part(14, 16)) * 60 + part(17, 19)) * 1000 + part(20, 23)
}

fn ids(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["id"].clone()).collect()
}

fn subscribed(sim: &Sim) -> (Socket, String) {
    let mut socket = Socket::login(sim);
    let (_, session) = socket.start("", "");
    socket.subscribe(&everything());
    (socket, session)
}

#[test]
fn a_share_is_lost_on_one_side() {
    let sims = pair();
    sims[0].fault_with("events", "loss", json!({ "share": 0.3 }));
    let [a, b] = both_since(&sims, latest(&sims[0]) + 20, 600);
    assert!(a.keys().all(|n| b.contains_key(n)));
    let share = 1.0 - a.len() as f64 / b.len() as f64;
    assert!((0.2..0.4).contains(&share), "{share}");
    // Both lose, and not the same.
    sims[1].fault_with("events", "loss", json!({ "share": 0.3 }));
    let [a, b] = both_since(&sims, latest(&sims[1]) + 20, 600);
    assert!(a.keys().any(|n| !b.contains_key(n)) && b.keys().any(|n| !a.contains_key(n)));
    sims.iter().for_each(Sim::heal);
    let [a, b] = both_since(&sims, latest(&sims[0]) + 20, 100);
    assert!(a.keys().eq(b.keys()));
}

#[test]
fn a_camera_is_lost() {
    let sim = quiet(&[]);
    let (mut socket, _) = subscribed(&sim);
    sim.fault_with("events", "loss", json!({ "share": 1, "camera": 2 }));
    let lost = inject(&sim, 1, 2, "motion-started");
    assert_eq!((&lost["n"], &lost["lost"]), (&json!(0), &json!(true)));
    let seen = inject(&sim, 2, 1, "motion-started");
    assert_eq!(socket.events(1), ids(std::slice::from_ref(&seen)));
    assert_eq!(sim.get("/events"), json!([seen]));
    assert!(seen.get("lost").is_none());
}

#[test]
fn clocks_go_wrong() {
    let sims = pair();
    let error = |first: i64| {
        let [a, b] = both_since(&sims, first, 50);
        let errors = a.iter().map(|(n, event)| millis(event) - millis(&b[n]));
        errors.map(|error| (error + 129_600_000) % 86_400_000 - 43_200_000).collect::<Vec<i64>>()
    };
    let begin = || latest(&sims[0]) + 20;
    sims[0].fault_with("events", "skew", json!({ "ms": -3_000 }));
    assert!(error(begin()).iter().all(|error| *error == -3_000));
    sims[0].fault_with("events", "step", json!({ "ms": 5_000 }));
    assert!(error(begin()).iter().all(|error| *error == 2_000));
    sims[0].fault_with("events", "step", json!({ "ms": 5_000 }));
    assert!(error(begin()).iter().all(|error| *error == 7_000));
    assert_eq!(sims[0].get("/faults")[1], json!({ "service": "events", "mode": "step", "ms": 10_000 }));
    sims[0].heal();
    assert!(error(begin()).iter().all(|error| *error == 0));
    sims[0].fault_with("events", "drift", json!({ "ppm": 500_000 }));
    let drift = error(begin());
    // Both times are cut to milliseconds, so their difference may be one too small.
    let grows = drift.windows(2).all(|pair| pair[1] >= pair[0] - 1);
    assert!(grows && drift[0] > 0, "{drift:?}");
    // 50 events at 200 a second are a quarter of a second, in which half as much is gained.
    let gained = drift[50] - drift[0];
    assert!((100..150).contains(&gained), "{gained}");
}

#[test]
fn arrivals_are_late_and_times_are_not() {
    let sim = quiet(&[]);
    let (mut socket, _) = subscribed(&sim);
    sim.fault_with("events", "delay", json!({ "ms": 700 }));
    let start = Instant::now();
    let first = inject(&sim, 1, 0, "motion-started");
    assert_eq!((&first["n"], sim.get("/events")), (&json!(0), json!([])));
    assert_eq!(socket.events(1), ids(std::slice::from_ref(&first)));
    assert!(start.elapsed() >= Duration::from_millis(700), "{:?}", start.elapsed());
    assert_eq!(sim.get("/events")[0]["time"], first["time"]);
    // Lifting lets in what waits, in order.
    sim.fault_with("events", "delay", json!({ "ms": 600_000 }));
    let waiting: Vec<Value> = (2..6).map(|n| inject(&sim, n, 0, "motion-stopped")).collect();
    socket.assert_silent();
    sim.heal();
    assert_eq!(socket.events(4), ids(&waiting));
}

#[test]
fn a_burst_is_the_same_on_both_sides() {
    let sims = pair();
    sims.iter().for_each(|sim| sim.fault_with("events", "burst", json!({ "factor": 5 })));
    let burst = 1_i64 << 52;
    let first = eventually(|| {
        let all = [oracle(&sims[0]), oracle(&sims[1])];
        let first = all.iter().map(|events| events.range(burst..).next().map(|(n, _)| *n));
        // Both must have begun: what one saw alone before is no difference.
        first.collect::<Option<Vec<i64>>>()?.into_iter().max()
    });
    let [a, b] = both_since(&sims, first, 1_000);
    assert!(a.keys().eq(b.keys()));
    let base = |sim: &Sim| oracle(sim).range(..burst).count() as f64;
    let share = oracle(&sims[0]).range(first..).count() as f64 / base(&sims[0]);
    assert!(share > 1.0, "{share}");
    for (a, b) in a.values().zip(b.values()) {
        assert_eq!((time(a), &a["type"]), (time(b), &b["type"]));
    }
    sims[0].heal();
    let end = latest(&sims[0]);
    eventually(|| (oracle(&sims[1]).keys().next_back()? > &(end + 1_000)).then_some(()));
    assert!(latest(&sims[0]) < end + 500, "no more of the burst");
}

#[test]
fn a_resumed_session_gets_events_again() {
    let sim = quiet(&[]);
    let (mut socket, session) = subscribed(&sim);
    let events: Vec<Value> = (0..5).map(|n| inject(&sim, n, 0, "motion-started")).collect();
    assert_eq!(socket.events(5), ids(&events));
    drop(socket);
    sim.fault_with("events", "replay", json!({ "n": 3 }));
    let last = events[4]["id"].as_str().unwrap();
    let mut socket = Socket::login(&sim);
    assert_eq!(socket.start(&session, last).0, 200);
    assert_eq!(socket.events(3), ids(&events[2..]));
    assert_eq!(sim.get("/events").as_array().unwrap().len(), 5, "not reported anew");
    drop(socket);
    sim.heal();
    let mut socket = Socket::login(&sim);
    assert_eq!(socket.start(&session, last).0, 200);
    socket.assert_silent();
}

#[test]
fn sockets_are_dropped_once() {
    let sim = quiet(&[]);
    let (mut socket, session) = subscribed(&sim);
    sim.fault("events", "drop");
    assert_eq!(socket.closed(), None);
    assert_eq!(sim.get("/faults"), json!([]));
    let mut socket = Socket::login(&sim);
    assert_eq!(socket.start(&session, "").0, 200);
    let id = inject(&sim, 1, 0, "motion-started");
    assert_eq!(socket.events(1), ids(&[id]));
}

#[test]
fn a_recycled_gateway_closes_and_is_slow_to_open() {
    let sim = quiet(&["--set", "recycle-start=2000"]);
    let (mut socket, session) = subscribed(&sim);
    sim.fault("events", "recycle");
    assert_eq!(socket.closed(), Some(1001));
    let start = Instant::now();
    let mut socket = Socket::login(&sim);
    assert!(start.elapsed() >= Duration::from_millis(2_000), "{:?}", start.elapsed());
    assert_eq!(socket.start(&session, "").0, 200);
    // It is up for everybody else now, and nothing but sockets had to wait.
    let start = Instant::now();
    Socket::login(&sim);
    assert!(start.elapsed() < Duration::from_millis(1_900), "{:?}", start.elapsed());
}

#[test]
fn the_gateway_recycles_by_itself() {
    let sim = quiet(&["--set", "recycle=1", "--set", "recycle-start=1"]);
    for _ in 0..2 {
        assert_eq!(Socket::login(&sim).closed(), Some(1001));
    }
}

#[test]
fn a_stalled_socket_is_open_and_silent() {
    let sim = quiet(&[]);
    let (mut socket, _) = subscribed(&sim);
    sim.fault("events", "stall");
    let event = inject(&sim, 1, 0, "motion-started");
    assert_eq!(sim.get("/events"), json!([event]));
    socket.assert_silent();
    assert_ne!(sim.status("/api/rest/v1/alarmStates"), 503, "only sockets stall");
    sim.heal();
    assert_eq!(socket.events(1), ids(&[event]));
}

#[test]
fn faults_of_data_and_connections_stand_side_by_side() {
    let sim = quiet(&[]);
    sim.fault_with("events", "loss", json!({ "share": 0.5 }));
    sim.fault_with("events", "loss", json!({ "share": 1.0, "camera": 1 }));
    sim.fault_with("events", "skew", json!({ "ms": 5 }));
    sim.fault("events", "page503");
    sim.fault("config", "lost-answer");
    let all = sim.get("/faults");
    let modes: Vec<&str> = all.as_array().unwrap().iter().map(|one| one["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["page503", "lost-answer", "loss", "loss", "skew"]);
    let (status, left) = sim.lift_where("mode=loss");
    assert_eq!((status, left.as_array().unwrap().len()), (200, 3));
    let (_, left) = sim.lift("events");
    assert_eq!(left, json!([{ "service": "config", "mode": "lost-answer" }]));
    let (status, answer) = sim.lift_where("mode=melt");
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("mode")));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let (status, _) = sim.post("/faults", &json!({ "service": "events", "mode": "restore", "to": now }));
    assert_eq!(status, 400, "of the configuration only");
}
