#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::balance::failback::{FailbackError, FailbackResult, failback};
use crate::balance::overrides::Override;
use crate::config::types::Config;
use crate::health::Fact;
use crate::health::fixtures::pure_config;

const HQ: SiteId = SiteId(0);
const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
const C: InstanceId = InstanceId(2);
const STABLE: FailbackMode = FailbackMode::AfterStable(Duration::from_secs(30));

fn at(s: u64) -> Moment {
    Moment::from_micros(s * 1_000_000)
}

/// A world in which conditions and overrides are set by hand.
struct World {
    config: Config,
    board: Board,
    held: Held,
    history: History,
    table: Table,
    now: Moment,
}

impl World {
    fn new(instances: usize, mode: FailbackMode) -> Self {
        let config = pure_config(instances, mode);
        let mut world = Self {
            board: Board::new(instances),
            held: Held::resolve(&config, &[], None, at(0)),
            history: History::new(instances),
            table: Table::default(),
            now: at(0),
            config,
        };
        world.table = serve(&world.view(), None, at(0)).table;
        for id in world.config.instance_ids() {
            for service in Service::XPROTECT {
                world.set(id, service, Condition::Up);
            }
        }
        world
    }

    fn view(&self) -> View<'_> {
        View { config: &self.config, board: &self.board, held: &self.held, history: &self.history }
    }

    fn set(&mut self, id: InstanceId, service: Service, condition: Condition) {
        let before = self.board.get(id, service);
        let up_since = match condition {
            Condition::Up => before.up_since.or(Some(self.now)),
            Condition::Suspect | Condition::Unknown => before.up_since,
            Condition::Down | Condition::Absent => None,
        };
        let lacking = condition == Absent || (before.lacking && condition != Up);
        self.board.set(id, service, Fact { condition, since: self.now, up_since, cause: None, lacking });
        let damping = self.history.get_mut(id, service).unwrap();
        match (before.condition, condition) {
            (Condition::Down, Condition::Up) => damping.came_up(self.now),
            (Condition::Down, _) => {}
            (_, Condition::Down) => damping.went_down(self.now),
            _ => {}
        }
    }

    fn hold(&mut self, holds: &[(InstanceId, OverrideKind)]) {
        let overrides: Vec<Override> = holds
            .iter()
            .map(|(id, kind)| Override {
                instance: self.config.instance(*id).name.clone(),
                kind: *kind,
                reason: "test".into(),
                by: "test".into(),
                since_unix: 0,
            })
            .collect();
        self.held = Held::resolve(&self.config, &overrides, Some((&self.config, &self.held)), self.now);
    }

    fn serve(&mut self, s: u64) -> Option<Moment> {
        self.now = at(s);
        let served = serve(&self.view(), Some(&self.table), self.now);
        self.table = served.table;
        served.next_wakeup
    }

    fn who(&self, service: Service) -> (Option<InstanceId>, Reason) {
        let entry = self.table.get(HQ, service);
        (entry.instance, entry.reason)
    }
}

use Condition::{Absent, Down, Suspect, Up};
use Service::{Config as Rest, Events, Identity};

#[test]
fn primaries_serve_from_the_start() {
    let mut w = World::new(2, STABLE);
    w.serve(0);
    assert_eq!(w.who(Rest), (Some(A), Reason::Start));
    assert_eq!(w.table.login(HQ), Some(A));
}

#[test]
fn one_service_fails_over_alone_and_returns_after_stable() {
    let mut w = World::new(2, STABLE);
    w.now = at(10);
    w.set(A, Rest, Suspect);
    w.serve(10);
    assert_eq!(w.who(Rest).0, Some(A), "suspect serves");
    w.set(A, Rest, Down);
    w.serve(11);
    assert_eq!(w.who(Rest), (Some(B), Reason::Down));
    assert_eq!(w.who(Events), (Some(A), Reason::Start));
    w.now = at(20);
    w.set(A, Rest, Up);
    assert_eq!(w.serve(20), Some(at(50)), "the timer is told");
    let returning = Returning { instance: A, at: Some(at(50)) };
    assert_eq!(w.table.get(HQ, Rest).returning, Some(returning));
    w.serve(49);
    assert_eq!(w.who(Rest).0, Some(B));
    w.serve(50);
    assert_eq!(w.who(Rest), (Some(A), Reason::Failback));
}

#[test]
fn a_standby_that_fails_hands_over_to_any_usable_one() {
    let mut w = World::new(3, STABLE);
    w.set(A, Rest, Down);
    w.serve(1);
    w.set(B, Rest, Down);
    w.serve(2);
    assert_eq!(w.who(Rest), (Some(C), Reason::Down));
    w.set(C, Rest, Down);
    w.serve(3);
    assert_eq!(w.who(Rest), (None, Reason::AllDown));
    w.now = at(4);
    w.set(B, Rest, Up);
    w.serve(4);
    assert_eq!(w.who(Rest), (Some(B), Reason::Recovered), "nobody served: no need to wait");
}

#[test]
fn absent_causes_no_switch_and_takes_nothing_over() {
    let mut w = World::new(2, STABLE);
    w.set(A, Service::Webrtc, Absent);
    w.serve(1);
    assert_eq!(w.who(Service::Webrtc).0, Some(A));
    assert_eq!(w.table.login(HQ), Some(A));
    w.set(B, Events, Absent);
    w.set(A, Events, Down);
    w.serve(2);
    assert_eq!(w.who(Events), (None, Reason::AllDown), "it has nothing to offer");
}

#[test]
fn a_service_that_nobody_has_returns_to_its_owner() {
    let mut w = World::new(2, STABLE);
    w.set(A, Service::Soap, Absent);
    w.set(B, Service::Soap, Absent);
    w.serve(1);
    w.set(A, Service::Soap, Down);
    w.serve(2);
    assert_eq!(w.who(Service::Soap), (Some(B), Reason::Down), "its 404 is as good as the other's");
    w.set(B, Service::Soap, Down);
    w.serve(3);
    assert_eq!(w.who(Service::Soap), (None, Reason::AllDown));
    w.set(A, Service::Soap, Absent);
    w.serve(4);
    assert_eq!(w.who(Service::Soap), (Some(A), Reason::Recovered));
}

#[test]
fn what_the_primary_does_not_have_does_not_make_a_failback_incomplete() {
    let mut w = World::new(2, FailbackMode::Manual);
    for id in [A, B] {
        w.set(id, Service::Soap, Absent);
    }
    w.hold(&[(A, OverrideKind::Drain)]);
    w.serve(1);
    w.hold(&[]);
    w.serve(2);
    assert_eq!(w.who(Service::Soap).0, Some(B));
    let view = View { config: &w.config, board: &w.board, held: &w.held, history: &w.history };
    let outcomes = failback(&view, &mut w.table.clone(), None, None, w.now).unwrap();
    for o in &outcomes {
        match o.service {
            Service::Soap => assert_eq!(o.result, FailbackResult::Absent { primary: "a".into() }),
            _ => assert_eq!(o.result, FailbackResult::Returned("a".into())),
        }
    }
    let named = failback(&view, &mut w.table.clone(), None, Some(Service::Soap), w.now).unwrap_err();
    assert!(matches!(named, FailbackError::NotReady { why: "absent", .. }), "{named}");
}

#[test]
fn a_drained_instance_is_not_used_even_alone() {
    let mut w = World::new(2, STABLE);
    w.hold(&[(A, OverrideKind::Drain)]);
    w.serve(1);
    assert_eq!(w.who(Rest), (Some(B), Reason::Drained));
    assert_eq!(w.table.login(HQ), Some(B));
    w.set(B, Rest, Down);
    w.serve(2);
    assert_eq!(w.who(Rest), (None, Reason::AllHeld));
    w.now = at(100);
    w.set(B, Rest, Up);
    w.serve(100);
    w.hold(&[]);
    w.serve(101);
    assert_eq!(w.who(Rest).0, Some(B), "a released instance is stable from its release");
    w.serve(130);
    assert_eq!(w.who(Rest), (Some(A), Reason::Failback));
}

#[test]
fn quarantine_is_told_apart() {
    let mut w = World::new(2, STABLE);
    w.hold(&[(A, OverrideKind::Drain), (A, OverrideKind::Quarantine)]);
    w.serve(1);
    assert_eq!(w.who(Rest), (Some(B), Reason::Quarantined));
}

#[test]
fn manual_waits_for_the_operator() {
    let mut w = World::new(2, FailbackMode::Manual);
    w.set(A, Rest, Down);
    w.serve(1);
    let call = |w: &mut World, service| {
        let mut table = w.table.clone();
        let view = View { config: &w.config, board: &w.board, held: &w.held, history: &w.history };
        let answer = failback(&view, &mut table, Some("hq"), service, w.now);
        w.table = table;
        answer
    };
    let refused = call(&mut w, Some(Rest)).unwrap_err();
    assert!(matches!(refused, FailbackError::NotReady { why: "down", .. }), "{refused}");
    w.set(A, Rest, Up);
    assert_eq!(w.serve(10_000), None);
    assert_eq!(w.who(Rest).0, Some(B));
    let outcomes = call(&mut w, None).unwrap();
    let returned = outcomes.iter().find(|o| o.service == Rest).unwrap();
    assert_eq!(returned.result, FailbackResult::Returned("a".into()));
    assert!(outcomes.iter().filter(|o| o.service != Rest).all(|o| o.result == FailbackResult::AtHome));
    assert_eq!(w.who(Rest), (Some(A), Reason::Operator));
    let view = View { config: &w.config, board: &w.board, held: &w.held, history: &w.history };
    let wrong = failback(&view, &mut w.table.clone(), Some("nowhere"), None, w.now);
    assert_eq!(wrong, Err(FailbackError::UnknownSite("nowhere".into())));
    let wrong = failback(&view, &mut w.table.clone(), None, Some(Service::Http), w.now);
    assert_eq!(wrong, Err(FailbackError::UnknownService(Service::Http)));
}

#[test]
fn immediate_returns_at_once() {
    let mut w = World::new(2, FailbackMode::Immediate);
    w.set(A, Rest, Down);
    w.serve(1);
    w.set(A, Rest, Up);
    w.serve(2);
    assert_eq!(w.who(Rest), (Some(A), Reason::Failback));
}

#[test]
fn logins_avoid_a_half_dead_home() {
    let mut w = World::new(2, STABLE);
    w.set(A, Events, Down);
    w.serve(1);
    assert_eq!(w.who(Identity).0, Some(A));
    assert_eq!(w.table.login(HQ), Some(B), "everything works there");
    w.set(A, Events, Up);
    w.serve(2);
    assert_eq!(w.table.login(HQ), Some(B), "not before the table trusts A again");
    w.serve(40);
    assert_eq!(w.table.login(HQ), Some(A));
    w.set(A, Events, Down);
    w.set(B, Rest, Down);
    w.serve(41);
    assert_eq!(w.table.login(HQ), Some(A), "at least everything essential");
    w.set(A, Rest, Down);
    w.serve(42);
    assert_eq!(w.table.login(HQ), Some(A), "a login somewhere beats none");
}

#[test]
fn a_reload_keeps_assignments_by_name() {
    let mut w = World::new(3, STABLE);
    w.set(A, Rest, Down);
    w.serve(1);
    assert_eq!(w.who(Rest).0, Some(B));
    // `a` has left the configuration: `b` and `c` move up.
    let mut config = pure_config(2, STABLE);
    config.instances[0].name = "b".into();
    config.instances[1].name = "c".into();
    let carried = w.table.carry(&w.config, &config);
    assert_eq!(carried.get(HQ, Rest).instance, Some(A), "`b` is number 0 now");
    assert_eq!(carried.get(HQ, Events).instance, None, "`a` has gone");
    let (board, history) = (Board::new(2), History::new(2));
    let held = Held::resolve(&config, &[], None, at(2));
    let view = View { config: &config, board: &board, held: &held, history: &history };
    let table = serve(&view, Some(&carried), at(2)).table;
    assert_eq!(table.get(HQ, Rest).instance, Some(A));
    assert_eq!(table.get(HQ, Events).reason, Reason::Reconfigured);
    assert_eq!(table.get(HQ, Events).instance, Some(A));
}

#[derive(Clone, Debug)]
enum Happening {
    Set(u16, usize, Condition),
    Hold(u16, Option<OverrideKind>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let condition = prop_oneof![4 => Just(Up), 2 => Just(Suspect), 4 => Just(Down), 1 => Just(Absent)];
    let kind = prop::option::of(prop_oneof![Just(OverrideKind::Drain), Just(OverrideKind::Quarantine)]);
    prop_oneof![
        8 => (0..3_u16, 0..5_usize, condition).prop_map(|(i, s, c)| Happening::Set(i, s, c)),
        1 => (0..3_u16, kind).prop_map(|(i, k)| Happening::Hold(i, k)),
    ]
}

proptest! {
    /// Nobody serves who is down or held; somebody serves if anybody can; who can serve is not
    /// replaced but by an earlier candidate; time alone changes nothing but at the told time.
    #[test]
    fn invariants_hold_in_any_storm(
        mode in prop_oneof![Just(STABLE), Just(FailbackMode::Manual), Just(FailbackMode::Immediate)],
        steps in prop::collection::vec((happening(), 0_u64..60), 1..120),
    ) {
        let mut w = World::new(3, mode);
        let mut held = [None; 3];
        for (what, wait) in steps {
            let now = w.now + Duration::from_secs(wait);
            w.now = now;
            match what {
                Happening::Set(i, s, c) => w.set(InstanceId(i), Service::XPROTECT[s], c),
                Happening::Hold(i, k) => {
                    held[usize::from(i)] = k;
                    let all: Vec<_> = (0..3_u16)
                        .filter_map(|i| held[usize::from(i)].map(|k| (InstanceId(i), k)))
                        .collect();
                    w.hold(&all);
                }
            }
            let before = w.table.clone();
            let served = serve(&w.view(), Some(&before), now);
            let view = w.view();
            for service in Service::XPROTECT {
                let (old, new) = (before.get(HQ, service), served.table.get(HQ, service));
                match new.instance {
                    Some(i) => prop_assert!(view.may_stay(i, service), "{:?} serves {}", i, service),
                    None => prop_assert!(
                        w.config.instance_ids().all(|i| !view.eligible(i, service)),
                        "nobody serves {} although somebody could", service
                    ),
                }
                if let (Some(o), Some(n)) = (old.instance, new.instance)
                    && o != n && view.may_stay(o, service)
                {
                    prop_assert!(n < o, "only an earlier candidate replaces one that can serve");
                    prop_assert!(mode != FailbackMode::Manual, "manual means manual");
                }
                prop_assert_eq!(old.instance != new.instance || old.since == new.since, true);
            }
            if let Some(login) = served.table.login(HQ) {
                prop_assert!(view.held.kind(login).is_none(), "no login where an operator forbids it");
            }
            let again = serve(&view, Some(&served.table), now);
            prop_assert_eq!(&again.table, &served.table, "deciding twice changes nothing");
            if let Some(at) = served.next_wakeup {
                prop_assert!(at > now);
                let early = serve(&view, Some(&served.table), Moment::from_micros(at.as_micros() - 1));
                for service in Service::XPROTECT {
                    prop_assert_eq!(
                        early.table.get(HQ, service).instance,
                        served.table.get(HQ, service).instance
                    );
                }
            }
            w.table = served.table;
        }
    }
}
