//! What the log says, and at which level.

#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::balance::picture::Picture;
use crate::balance::serving::{View, serve};
use crate::clock::Moment;
use crate::config::types::{FailbackMode, InstanceId, Service};
use crate::health::cause::Cause;
use crate::health::fixtures::pure_config;
use crate::health::state::{Condition, Event, Outcome};
use crate::health::supervisor::actor::tell;
use crate::health::supervisor::core::Core;
use crate::health::{Board, Fact};
use crate::vms::documents::Documents;

const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The levels and texts of the lines that `act` writes, one a string.
fn lines(act: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let sink = lines.clone();
    let builder = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
    let builder = builder.with_target(false).without_time().with_writer(move || sink.clone());
    tracing::subscriber::with_default(builder.finish(), act);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|l| l.trim().to_owned()).collect()
}

fn at(ms: u64) -> Moment {
    Moment::from_micros(ms * 1_000)
}

fn core() -> Core {
    Core::new(Arc::new(pure_config(2, FailbackMode::Manual)), Vec::new(), at(0))
}

#[test]
fn suspicion_is_for_those_who_look_for_it() {
    let mut core = core();
    let mut probe = |ms, outcome| {
        let step = Event::Probe { outcome, started: at(ms) };
        core.observe(A, Service::Config, at(ms), step);
    };
    let failed = Outcome::Failed(Cause::Timeout);
    let quiet = lines(|| {
        probe(1, Outcome::Passed);
        probe(2, failed);
        (3..6).for_each(|ms| probe(ms, Outcome::Passed));
    });
    assert_eq!(quiet.len(), 3, "{quiet:?}");
    assert!(quiet.iter().all(|l| l.starts_with("DEBUG")), "{quiet:?}");
    let loud = lines(|| {
        probe(10, failed);
        probe(11, failed);
        (20..23).for_each(|ms| probe(ms, Outcome::Passed));
    });
    assert!(loud.iter().any(|l| l.starts_with("WARN service is down")), "{loud:?}");
    assert!(loud.iter().any(|l| l.starts_with("INFO service is up again")), "{loud:?}");
}

#[test]
fn the_way_home_is_no_warning_and_what_nobody_has_is_no_error() {
    let picture = |facts: &[(InstanceId, Service, Condition, bool)], before: Option<&Picture>| {
        let config = Arc::new(pure_config(2, FailbackMode::Immediate));
        let mut picture = Picture::initial(config, Vec::new(), at(0));
        let mut board = Board::new(2);
        for (id, service, condition, lacking) in facts {
            let up_since = (*condition == Condition::Up).then(|| at(0));
            let fact = Fact { condition: *condition, lacking: *lacking, up_since, ..Fact::default() };
            board.set(*id, *service, fact);
        }
        let view =
            View { config: &picture.config, board: &board, held: &picture.held, history: &picture.damping };
        picture.table = serve(&view, before.map(|p| &p.table), at(1)).table;
        picture.health = board;
        picture
    };
    use Condition::{Down, Up};
    let start = picture(&[], None);
    let config = Service::Config;
    let away = picture(&[(A, config, Down, false)], Some(&start));
    let home = picture(&[(A, config, Up, false)], Some(&away));
    let gone = picture(&[(A, config, Down, false), (B, config, Down, false)], Some(&start));
    let never = picture(&[(A, Service::Soap, Down, true), (B, Service::Soap, Down, true)], Some(&start));
    let told = |after: &Picture, before: &Picture| lines(|| tell::moves(after, before)).join("|");
    assert!(told(&away, &start).starts_with("WARN service moved"), "{}", told(&away, &start));
    assert!(told(&home, &away).starts_with("INFO service moved"), "{}", told(&home, &away));
    assert!(told(&gone, &start).starts_with("ERROR nobody can serve"), "{}", told(&gone, &start));
    assert!(told(&never, &start).starts_with("DEBUG"), "{}", told(&never, &start));
}

#[test]
fn a_key_that_two_claim_is_told_once_and_belongs_to_neither() {
    for order in [[A, B], [B, A]] {
        let mut core = core();
        let mut read = |id: InstanceId, jwks| {
            let issuer = format!("https://{}/IDP", id.index());
            let openid = json!({"issuer": issuer, "token_endpoint": "t"});
            core.learn(id, Documents::assemble(openid, jwks, None, at(0)).unwrap());
        };
        let keys = || Some(json!({"keys": [crate::testing::rsa_jwk("K")]}));
        let told = lines(|| {
            for id in order {
                read(id, keys());
            }
            for id in [A, B, A] {
                read(id, keys());
                read(id, None);
            }
        });
        assert_eq!(told.iter().filter(|l| l.starts_with("WARN")).count(), 1, "{told:?}");
        let picture = core.settle(at(1)).unwrap();
        assert_eq!(picture.home_of_kid(crate::config::types::SiteId(0), "K"), None);
        assert_eq!(picture.home_of_issuer(crate::config::types::SiteId(0), "https://1/IDP"), Some(B));
    }
}

#[test]
fn what_cannot_check_tokens_is_told_once_a_change() {
    let mut core = core();
    let mut read = |jwks_uri: Option<&str>, jwks| {
        let openid = json!({"issuer": "https://a/IDP", "token_endpoint": "t", "jwks_uri": jwks_uri});
        core.learn(A, Documents::assemble(openid, jwks, None, at(0)).unwrap());
    };
    let mut warnings = |jwks_uri, jwks: Option<serde_json::Value>| {
        let told = lines(|| (0..3).for_each(|_| read(jwks_uri, jwks.clone())));
        told.into_iter().filter(|l| l.starts_with("WARN")).collect::<Vec<_>>()
    };
    let (good, weak) =
        (crate::testing::rsa_jwk("K"), json!({"kid": "W", "kty": "RSA", "n": "AQ", "e": "AQAB"}));
    let uri = Some("https://a/keys");
    for (jwks_uri, jwks, words) in [
        (None, None, vec!["names no key set"]),
        (uri, None, vec!["cannot be read"]),
        (uri, Some(json!({"keys": [good, weak]})), vec!["shorter than 2048"]),
        (uri, Some(json!({"keys": [good]})), vec![]),
        (uri, None, vec![]),
        (uri, Some(json!({"keys": []})), vec!["no published key"]),
    ] {
        let told = warnings(jwks_uri, jwks);
        assert_eq!(told.len(), words.len(), "{told:?}");
        assert!(told.iter().zip(&words).all(|(line, word)| line.contains(word)), "{told:?}");
    }
}
