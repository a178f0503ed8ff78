#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::balance::{Failover, Picture, Reason};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};
use crate::health::{Condition, Fact};
use crate::testing::config;

fn picture(site: &str, instances: &[&str]) -> Picture {
    Picture::initial(Arc::new(config(site, instances)), Vec::new(), Moment::default())
}

#[test]
fn the_table_and_the_registry_agree() {
    let metrics = Metrics::new().unwrap();
    metrics.apply(&picture("hq", &["a", "b"]), &[failover("a", "b")]);
    metrics.request_series("hq", "config", "a").record(200, Duration::from_millis(3));
    metrics.standby_writes("hq").inc();
    metrics.ids_without_partner("hq").inc();
    metrics.set_sync_objects("cameras", SyncState::Linked, 1);
    metrics.set_sync_held(Held::Policy, 1);
    metrics.set_sync_success("cameras", 1);
    metrics.set_sync_unknown("a", 0);
    metrics.throttled("hq");
    metrics.set_sessions("hq", "ready", 1);
    let shown: Vec<String> = metrics.registry.gather().iter().map(|f| f.name().to_owned()).collect();
    for s in spec::ALL {
        assert!(shown.iter().any(|n| n == s.name), "{} is not registered", s.name);
    }
    for name in &shown {
        let known = spec::ALL.iter().chain(spec::PROCESS).any(|s| s.name == name);
        assert!(known, "{name} is not in the table");
    }
    let text = metrics.render();
    for s in spec::ALL {
        assert!(text.contains(&format!("# TYPE {} {}\n", s.name, s.kind.as_str())), "{}", s.name);
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, spec::document()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == spec::document(), "run UPDATE_DOCS=1 cargo test --lib metrics");
}

#[test]
fn closed_sets_start_at_zero() {
    let metrics = Metrics::new().unwrap();
    metrics.refused(Refused::Malformed);
    metrics.retried(RetryReason::Unsent);
    metrics.hedged(HedgeOutcome::Standby);
    metrics.reloaded(ReloadResult::Failed);
    let text = metrics.render();
    for line in [
        "gatekeeper_refused_total{reason=\"malformed\"} 1",
        "gatekeeper_refused_total{reason=\"host\"} 0",
        "gatekeeper_retries_total{reason=\"unsent\"} 1",
        "gatekeeper_hedges_total{outcome=\"standby\"} 1",
        "gatekeeper_config_reloads_total{result=\"failed\"} 1",
        "gatekeeper_config_reloads_total{result=\"applied\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert_eq!(Refused::ALL[Refused::BodyTimeout.index()], Refused::BodyTimeout);
}

#[test]
fn requests_are_counted_by_code_with_a_bounded_number_of_series() {
    let metrics = Metrics::new().unwrap();
    let series = metrics.request_series("hq", "config", "a");
    for status in [200, 200, 599, 600, 7, 65535] {
        series.record(status, Duration::from_millis(2));
    }
    let text = metrics.render();
    for (code, count) in [("200", 2), ("599", 1), ("other", 3)] {
        let line = format!(
            "gatekeeper_requests_total{{code=\"{code}\",instance=\"a\",service=\"config\",site=\"hq\"}} {count}"
        );
        assert!(text.contains(&line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("gatekeeper_request_duration_seconds_count{service=\"config\",site=\"hq\"} 6"));
    assert!(Arc::ptr_eq(&series, &metrics.request_series("hq", "config", "a")));
}

#[test]
fn serving_shows_every_combination() {
    let metrics = Metrics::new().unwrap();
    metrics.apply(&picture("hq", &["a", "b"]), &[failover("b", "a")]);
    let text = metrics.render();
    for service in Service::XPROTECT {
        for (instance, value) in [("a", 1), ("b", 0)] {
            let line = format!(
                "gatekeeper_serving{{instance=\"{instance}\",service=\"{service}\",site=\"hq\"}} {value}\n"
            );
            assert!(text.contains(&line), "{line}");
            let line = format!("gatekeeper_upstream_up{{instance=\"{instance}\",service=\"{service}\"}} 1\n");
            assert!(text.contains(&line), "{line}");
        }
    }
    assert!(text.contains(
        "gatekeeper_failovers_total{from=\"b\",reason=\"down\",service=\"config\",site=\"hq\",to=\"a\"} 1"
    ));
}

#[test]
fn what_an_instance_does_not_have_is_not_shown() {
    let metrics = Metrics::new().unwrap();
    let mut picture = picture("hq", &["a", "b"]);
    let line = "gatekeeper_upstream_up{instance=\"b\",service=\"soap\"}";
    let mut shown = |condition, lacking| {
        picture.health.set(InstanceId(1), Service::Soap, Fact { condition, lacking, ..Fact::default() });
        metrics.apply(&picture, &[]);
        metrics.render().lines().find(|l| l.starts_with(line)).map(|l| l[line.len()..].to_owned())
    };
    assert_eq!(shown(Condition::Up, false).as_deref(), Some(" 1"));
    assert_eq!(shown(Condition::Absent, true), None);
    assert_eq!(shown(Condition::Down, true), None, "down, and it never had it");
    assert_eq!(shown(Condition::Down, false).as_deref(), Some(" 0"));
    metrics.apply(&picture, &[Failover { exists: false, ..failover("a", "b") }]);
    assert!(!metrics.render().contains("gatekeeper_failovers_total{"), "nothing that anybody had moved");
}

#[test]
fn what_a_reload_removes_disappears_for_good() {
    let metrics = Metrics::new().unwrap();
    metrics.apply(&picture("hq", &["a", "gone"]), &[failover("gone", "a")]);
    let series = metrics.request_series("hq", "config", "gone");
    series.record(200, Duration::from_millis(1));
    let early = metrics.request_series("hq", "config", "new");
    early.record(201, Duration::from_millis(1));

    metrics.apply(&picture("hq", &["a", "new"]), &[]);
    series.record(404, Duration::from_millis(1));
    let text = metrics.render();
    assert!(!text.contains("instance=\"gone\""), "{text}");
    assert!(text.contains("from=\"gone\""), "history of a site that stays is kept");
    assert!(text.contains("code=\"201\",instance=\"new\""), "asked for before its first picture");

    metrics.standby_writes("hq").inc();
    metrics.ids_without_partner("hq").inc();
    metrics.throttled("hq");
    metrics.apply(&picture("other", &["a", "new"]), &[]);
    assert!(!metrics.render().contains("site=\"hq\""), "{}", metrics.render());
}

#[test]
fn connections_are_open_as_long_as_their_guard() {
    let metrics = Metrics::new().unwrap();
    let guard = metrics.connection_opened();
    assert_eq!(metrics.open_connections(), 1);
    drop(guard);
    assert_eq!(metrics.open_connections(), 0);
}

/// Not a benchmark: finds a lock or a look-up that crept into the hot path. Prints the time with
/// `cargo test --lib record_is_cheap -- --nocapture`.
#[test]
fn record_is_cheap() {
    let metrics = Metrics::new().unwrap();
    let series = metrics.request_series("hq", "config", "a");
    series.record(200, Duration::from_millis(3));
    for threads in [1, 2] {
        const EACH: u32 = 200_000;
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..EACH).for_each(|_| series.record(200, Duration::from_millis(3))));
            }
        });
        let each = start.elapsed() / EACH;
        println!("{threads} threads: {each:?} a record");
        assert!(each < Duration::from_micros(20), "{each:?}");
    }
}

fn failover(from: &str, to: &str) -> Failover {
    Failover {
        site: "hq".to_owned(),
        service: Service::Config,
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        home: false,
        exists: true,
        reason: Reason::Down,
    }
}
