//! The supervisor against instances on loopback. Waits for states, never for a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::fake::{Fake, Faults};
use crate::balance::{Override, OverrideKind, Picture, Reason};
use crate::config::types::{Account, Config, FailbackMode, InstanceId, Service, SiteId};
use crate::health::fixtures::config;
use crate::health::supervisor::{SupervisorHandle, start};
use crate::health::{Cause, Condition, Monitor, Reporter, Signal};
use crate::upstream::connect::Target;

const HQ: SiteId = SiteId(0);
const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
/// Far more than anything here takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Setup {
    handle: SupervisorHandle,
    reporter: Reporter,
    config: Config,
    monitors: Vec<Arc<Monitor>>,
    published: Arc<AtomicUsize>,
}

fn targets(config: &Config) -> Vec<Arc<Target>> {
    let target = |i| Arc::new(Target::new(i, &config.upstream).unwrap());
    config.instances.iter().map(target).collect()
}

fn monitors(config: &Config) -> Vec<Arc<Monitor>> {
    config.instances.iter().map(|i| Arc::new(Monitor::new(i.name.clone()))).collect()
}

impl Setup {
    fn new(fakes: &[&Fake], mode: FailbackMode, change: impl FnOnce(&mut Config)) -> Self {
        let origins: Vec<_> = fakes.iter().map(|f| f.origin.clone()).collect();
        let mut config = config(&origins, mode);
        config.health.interval = Duration::from_millis(50);
        // Many tests share few cores: slow must not look like dead.
        config.health.timeout = Duration::from_secs(5);
        config.upstream.connect_timeout = Duration::from_secs(5);
        change(&mut config);
        let monitors = monitors(&config);
        let published = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&published);
        let publish = Box::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let targets = targets(&config);
        let (handle, reporter) =
            start(Arc::new(config.clone()), monitors.clone(), targets, Vec::new(), publish);
        Self { handle, reporter, config, monitors, published }
    }

    async fn until(&self, what: &str, is: impl Fn(&Picture) -> bool) -> Arc<Picture> {
        let mut watch = self.handle.watch();
        let found = tokio::time::timeout(PATIENCE, watch.wait_for(|p| is(p))).await;
        let Ok(found) = found else { panic!("{what} never came: {:?}", self.now()) };
        Arc::clone(&found.unwrap())
    }

    fn now(&self) -> Arc<Picture> {
        Arc::clone(&self.handle.watch().borrow())
    }

    async fn settled(&self) -> Arc<Picture> {
        let probed = |c: Condition| !matches!(c, Condition::Unknown);
        self.until("a first result of everything", |p| {
            let services = Service::XPROTECT;
            p.config.instance_ids().all(|i| services.iter().all(|s| probed(p.condition(i, *s))))
        })
        .await
    }
}

fn serves(p: &Picture, service: Service) -> Option<InstanceId> {
    p.table.get(HQ, service).instance
}

#[tokio::test]
async fn everything_is_found_out_at_the_start() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let s = Setup::new(&[&a, &b], FailbackMode::Manual, |_| {});
    assert_eq!(serves(&s.now(), Service::Config), Some(A), "a picture from the first moment");
    assert_eq!(s.published.load(Ordering::Relaxed), 1);
    let p = s.settled().await;
    for service in [Service::Identity, Service::Config, Service::Events, Service::Soap] {
        assert_eq!(p.condition(A, service), Condition::Up, "{service}");
    }
    // `WebRTC/Session` is below /API/rest/v1 and answered like the rest of it.
    assert_eq!(p.condition(A, Service::Webrtc), Condition::Up);
    let p = s.until("documents", |p| p.documents(A).is_some() && p.documents(B).is_some()).await;
    assert_eq!(p.home_of_kid(HQ, "KEY-b"), Some(B));
    assert_eq!(p.home_of_issuer(HQ, "https://a.example/IDP"), Some(A));
    let documents = p.documents(A).unwrap();
    assert_eq!(documents.product_version.as_deref(), Some("25.2.1.1"));
    assert_eq!(documents.issuer_host_names, ["a.example"]);
}

#[tokio::test]
async fn a_refusal_that_a_request_meets_moves_everything_at_once() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    // Probes alone would take a minute.
    let s = Setup::new(&[&a, &b], FailbackMode::Immediate, |c| c.health.interval = PATIENCE * 3);
    s.until("documents", |p| p.documents(A).is_some()).await;
    s.settled().await;
    let origin = a.kill().await;
    let killed = Instant::now();
    s.reporter.report(&s.monitors[0], Service::Config, Signal::ConnectRefused);
    let p = s.until("the switch", |p| Service::XPROTECT.iter().all(|s| serves(p, *s) == Some(B))).await;
    assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
    assert_eq!(p.table.get(HQ, Service::Config).reason, Reason::Down);
    assert_eq!(p.fact(A, Service::Config).cause, Some(Cause::Refused));
    assert!(p.documents(A).is_some(), "its tokens are still its own");
    assert_eq!(p.home_of_kid(HQ, "KEY-a"), Some(A));
    drop(origin);
}

#[tokio::test]
async fn an_instance_that_returns_is_used_again() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let s = Setup::new(&[&a, &b], FailbackMode::Immediate, |_| {});
    s.settled().await;
    let origin = a.kill().await;
    s.until("the switch", |p| serves(p, Service::Identity) == Some(B)).await;
    let _a = Fake::restart("a", &origin).await;
    let p = s.until("the return", |p| serves(p, Service::Identity) == Some(A)).await;
    assert_eq!(p.table.get(HQ, Service::Identity).reason, Reason::Failback);
}

#[tokio::test]
async fn wrong_content_moves_only_its_service() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let s = Setup::new(&[&a, &b], FailbackMode::Manual, |_| {});
    s.settled().await;
    a.set(Faults { wrong_body: true, ..Faults::default() });
    let p = s.until("the switch", |p| serves(p, Service::Config) == Some(B)).await;
    assert_eq!(p.fact(A, Service::Config).cause, Some(Cause::WrongBody));
    assert_eq!(serves(&p, Service::Identity), Some(A));
    assert_eq!(p.table.login(HQ), Some(B));
    a.set(Faults::default());
    s.until("health", |p| p.condition(A, Service::Config) == Condition::Up).await;
    assert_eq!(serves(&s.now(), Service::Config), Some(B), "manual");
    s.handle.failback(Some("hq".into()), None).await.unwrap();
    assert_eq!(serves(&s.now(), Service::Config), Some(A));
}

#[tokio::test]
async fn a_missing_service_is_no_fault() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    a.set(Faults { no_events: true, ..Faults::default() });
    let s = Setup::new(&[&a, &b], FailbackMode::Manual, |_| {});
    let p = s.settled().await;
    assert_eq!(p.condition(A, Service::Events), Condition::Absent);
    assert_eq!(serves(&p, Service::Events), Some(A));
}

#[tokio::test]
async fn closed_connections_are_no_fault() {
    let a = Fake::start("a").await;
    a.set(Faults { one_answer_each: true, ..Faults::default() });
    let s = Setup::new(&[&a], FailbackMode::Manual, |c| c.health.interval = Duration::from_millis(5));
    s.settled().await;
    let p = s.until("documents", |p| p.documents(A).is_some()).await;
    let documents = p.documents(A).map(|d| d.fetched);
    s.handle.refresh_documents();
    // A second or so full of probes.
    s.until("new documents", |p| p.documents(A).map(|d| d.fetched) > documents).await;
    for service in Service::XPROTECT {
        let fact = s.now().fact(A, service);
        assert_eq!((fact.condition, fact.cause), (Condition::Up, None), "{service}");
    }
}

#[tokio::test]
async fn overrides_hold_when_the_call_returns() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let s = Setup::new(&[&a, &b], FailbackMode::Manual, |_| {});
    s.settled().await;
    let drain = Override {
        instance: "a".into(),
        kind: OverrideKind::Drain,
        reason: "patch day".into(),
        by: "local".into(),
        since_unix: 0,
    };
    s.handle.set_overrides(vec![drain]).await;
    let p = s.now();
    assert_eq!(serves(&p, Service::Config), Some(B));
    assert_eq!(p.overrides.len(), 1);
    s.handle.set_overrides(Vec::new()).await;
    s.handle.failback(None, Some(Service::Config)).await.unwrap();
    assert_eq!(serves(&s.now(), Service::Config), Some(A));
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_about_a_known_monitor() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let s = Setup::new(&[&a, &b], FailbackMode::Manual, |c| c.health.interval = PATIENCE * 3);
    s.until("documents", |p| p.documents(A).is_some() && p.documents(B).is_some()).await;
    s.settled().await;
    // The instances change places, and `b` is not the one that it was.
    let mut config = s.config.clone();
    config.instances.swap(0, 1);
    (config.sites[0].primary, config.sites[0].standby) = (B, vec![A]);
    let monitors = vec![Arc::new(Monitor::new("b")), Arc::clone(&s.monitors[0])];
    let reloaded = Arc::new(config.clone());
    s.handle.reload(Arc::clone(&reloaded), monitors, targets(&config)).await;
    let p = s.now();
    assert!(Arc::ptr_eq(&p.config, &reloaded));
    assert_eq!(serves(&p, Service::Config), Some(B), "`a`, under its new number");
    assert_eq!(p.condition(B, Service::Config), Condition::Up);
    assert_eq!(p.home_of_kid(HQ, "KEY-a"), Some(B));
    let p = s.until("the new `b`", |p| p.condition(A, Service::Config) == Condition::Up).await;
    assert_eq!(serves(&p, Service::Config), Some(B));
}

/// A supervisor whose instance `a` has an account that is tried anew each time.
fn with_account(a: &Fake, b: &Fake) -> (Setup, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "secret\n").unwrap();
    let account = Account { username: "gatekeeper".into(), password_file };
    let s = Setup::new(&[a, b], FailbackMode::Immediate, |c| c.instances[0].account = Some(account));
    (s, folder)
}

#[tokio::test]
async fn deep_probes_see_what_shallow_ones_do_not() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    a.set(Faults { no_database: true, ..Faults::default() });
    let (s, _folder) = with_account(&a, &b);
    let p = s.until("the switch", |p| serves(p, Service::Config) == Some(B)).await;
    assert_eq!(p.fact(A, Service::Config).cause, Some(Cause::Deep));
    assert_eq!(serves(&p, Service::Identity), Some(A));
    a.set(Faults::default());
    s.until("the return", |p| serves(p, Service::Config) == Some(A)).await;
}

#[tokio::test]
async fn an_account_that_is_refused_holds_nobody_down() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    a.set(Faults { no_database: true, ..Faults::default() });
    let (s, _folder) = with_account(&a, &b);
    s.until("the switch", |p| serves(p, Service::Config) == Some(B)).await;
    a.set(Faults { no_database: true, refuses_login: true, ..Faults::default() });
    s.until("the return", |p| serves(p, Service::Config) == Some(A)).await;
    assert_eq!(serves(&s.now(), Service::Identity), Some(A));
}

#[tokio::test]
async fn an_instance_in_quarantine_is_neither_asked_nor_believed() {
    let (a, b) = (Fake::start("a").await, Fake::start("b").await);
    let (s, _folder) = with_account(&a, &b);
    tokio::time::timeout(PATIENCE, a.first_login()).await.unwrap();
    let quarantine = Override {
        instance: "a".into(),
        kind: OverrideKind::Quarantine,
        reason: "owned".into(),
        by: "local".into(),
        since_unix: 0,
    };
    s.handle.set_overrides(vec![quarantine]).await;
    assert!(s.now().quarantined(A));
    assert_eq!(s.now().condition(A, Service::Config), Condition::Unknown);
    let before = a.logins();
    // Some rounds of probes of the other one.
    b.set(Faults { wrong_body: true, ..Faults::default() });
    s.until("a probe result", |p| p.condition(B, Service::Config) == Condition::Down).await;
    b.set(Faults::default());
    s.until("a probe result", |p| p.condition(B, Service::Config) == Condition::Up).await;
    assert_eq!(s.now().condition(A, Service::Config), Condition::Unknown);
    // One may have been under way when the order came.
    assert!(a.logins() <= before + 1);
    s.handle.set_overrides(Vec::new()).await;
    s.until("it is asked again", |p| p.condition(A, Service::Config) == Condition::Up).await;
}
