#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::balance::overrides::{Held, Override, OverrideKind};
use crate::balance::serving::{View, serve};
use crate::clock::Moment;
use crate::config::types::FailbackMode;
use crate::health::fixtures::pure_config;
use crate::health::{Condition, Fact};

const HQ: SiteId = SiteId(0);
const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
const REST: Service = Service::Config;

/// The picture of two instances or more, in which the given ones are not up and the given ones
/// are held.
fn picture(
    instances: usize,
    conditions: &[(InstanceId, Service, Condition)],
    holds: &[(InstanceId, OverrideKind)],
) -> Picture {
    let now = Moment::from_micros(1);
    let config = Arc::new(pure_config(instances, FailbackMode::Immediate));
    let hold = |(id, kind): &(InstanceId, OverrideKind)| Override {
        instance: config.instance(*id).name.clone(),
        kind: *kind,
        reason: String::new(),
        by: String::new(),
        since_unix: 0,
    };
    let overrides: Vec<Override> = holds.iter().map(hold).collect();
    let mut p = Picture::initial(Arc::clone(&config), overrides.clone(), now);
    for id in config.instance_ids() {
        for service in Service::XPROTECT {
            let given = conditions.iter().rev().find(|c| c.0 == id && c.1 == service);
            let condition = given.map_or(Condition::Up, |c| c.2);
            let up_since = (condition == Condition::Up).then_some(now);
            p.health.set(id, service, Fact { condition, since: now, up_since, ..Fact::default() });
        }
    }
    p.held = Held::resolve(&config, &overrides, None, now);
    let view = View { config: &config, board: &p.health, held: &p.held, history: &p.damping };
    p.table = serve(&view, Some(&p.table), now).table;
    p
}

fn goes_to(picked: Pick) -> Option<InstanceId> {
    match picked {
        Pick::To { instance, .. } => Some(instance),
        Pick::SignInAgain { .. } | Pick::Gone | Pick::Nobody => None,
    }
}

#[test]
fn an_unbound_request_goes_where_the_table_says() {
    let p = picture(2, &[], &[]);
    let to = Pick::To { instance: A, reason: PickReason::Serving, fallback: Some(B) };
    assert_eq!(pick(&p, HQ, REST, Bound::Nothing), to);
    let p = picture(2, &[(A, REST, Condition::Down)], &[]);
    let to = Pick::To { instance: B, reason: PickReason::Serving, fallback: None };
    assert_eq!(pick(&p, HQ, REST, Bound::Nothing), to);
    let p = picture(2, &[(A, REST, Condition::Down), (B, REST, Condition::Down)], &[]);
    assert_eq!(pick(&p, HQ, REST, Bound::Nothing), Pick::Nobody);
}

#[test]
fn a_token_never_leaves_its_home() {
    let p = picture(2, &[], &[]);
    let at_home = Pick::To { instance: B, reason: PickReason::Home, fallback: None };
    assert_eq!(pick(&p, HQ, REST, Bound::Token(B)), at_home);
    let p = picture(2, &[(A, REST, Condition::Down)], &[]);
    assert_eq!(pick(&p, HQ, REST, Bound::Token(A)), Pick::SignInAgain { home: A });
}

#[test]
fn a_session_with_a_twin_goes_with_the_service() {
    let twins = |p: &Picture| Twins::of(p.config.site(HQ), |id| id == B);
    let to = |instance, reason, fallback| Pick::To { instance, reason, fallback };
    let p = picture(2, &[], &[]);
    let bound = Bound::Twinned { home: A, twins: twins(&p) };
    assert_eq!(pick(&p, HQ, REST, bound), to(A, PickReason::Serving, Some(B)));
    let p = picture(2, &[(A, REST, Condition::Down)], &[]);
    assert_eq!(pick(&p, HQ, REST, bound), to(B, PickReason::Serving, None));
    assert_eq!(pick(&p, HQ, Service::Events, bound), to(A, PickReason::Serving, Some(B)));
    let p = picture(2, &[], &[(A, OverrideKind::Drain)]);
    assert_eq!(pick(&p, HQ, REST, bound), to(B, PickReason::Serving, Some(A)));
    let p = picture(3, &[(A, REST, Condition::Down), (B, REST, Condition::Down)], &[]);
    assert_eq!(pick(&p, HQ, REST, bound), Pick::SignInAgain { home: A }, "the third does not know the user");
}

#[test]
fn nobody_is_asked_to_sign_in_again_for_nothing() {
    let p = picture(2, &[(A, REST, Condition::Down), (B, REST, Condition::Down)], &[]);
    assert_eq!(pick(&p, HQ, REST, Bound::Token(A)), Pick::Nobody, "no other has it");
    let p = picture(2, &[(A, Service::Events, Condition::Down), (B, REST, Condition::Down)], &[]);
    assert_eq!(
        pick(&p, HQ, Service::Events, Bound::Token(A)),
        Pick::Nobody,
        "logins would lead to the same home"
    );
}

#[test]
fn a_drained_home_keeps_its_sessions_a_quarantined_one_does_not() {
    let p = picture(2, &[], &[(A, OverrideKind::Drain)]);
    assert_eq!(goes_to(pick(&p, HQ, REST, Bound::Token(A))), Some(A));
    assert_eq!(goes_to(pick(&p, HQ, REST, Bound::Nothing)), Some(B));
    assert_eq!(goes_to(pick(&p, HQ, Service::Identity, Bound::Login)), Some(B));
    let p = picture(2, &[], &[(A, OverrideKind::Quarantine)]);
    assert_eq!(pick(&p, HQ, REST, Bound::Token(A)), Pick::SignInAgain { home: A });
}

#[test]
fn a_handshake_ends_where_it_began_or_not_at_all() {
    for (conditions, holds, end) in [
        (vec![], vec![], Some(A)),
        (vec![], vec![(A, OverrideKind::Drain)], Some(A)),
        (vec![], vec![(A, OverrideKind::Quarantine)], None),
        (vec![(A, Service::Identity, Condition::Down)], vec![], None),
    ] {
        let p = picture(2, &conditions, &holds);
        assert_eq!(goes_to(pick(&p, HQ, Service::Identity, Bound::Handshake(A))), end);
    }
}

#[test]
fn absent_at_home_is_a_true_answer() {
    let p = picture(2, &[(A, Service::Webrtc, Condition::Absent)], &[]);
    assert_eq!(goes_to(pick(&p, HQ, Service::Webrtc, Bound::Token(A))), Some(A));
}

#[test]
fn affinity_yields_to_health() {
    let p = picture(2, &[], &[]);
    let to = Pick::To { instance: B, reason: PickReason::Affinity, fallback: Some(A) };
    assert_eq!(pick(&p, HQ, REST, Bound::Affinity(B)), to);
    let p = picture(2, &[(B, REST, Condition::Down)], &[]);
    assert_eq!(goes_to(pick(&p, HQ, REST, Bound::Affinity(B))), Some(A));
}

proptest! {
    /// No request ever goes to who is down or in quarantine, a token only home, and a fallback is
    /// somebody else who may take new work.
    #[test]
    fn no_request_goes_where_it_must_not(
        conditions in prop::collection::vec((0..3_u16, 0..5_usize, 0..4_u8), 0..20),
        holds in prop::collection::vec((0..3_u16, any::<bool>()), 0..3),
        service in 0..5_usize,
        bound in 0..6_u8,
        of in 0..3_u16,
        known in 0..8_u16,
    ) {
        let conditions: Vec<_> = conditions
            .into_iter()
            .map(|(i, s, c)| {
                let all = [Condition::Up, Condition::Suspect, Condition::Down, Condition::Absent];
                (InstanceId(i), Service::XPROTECT[s], all[usize::from(c)])
            })
            .collect();
        let kind = |q| if q { OverrideKind::Quarantine } else { OverrideKind::Drain };
        let holds: Vec<_> = holds.into_iter().map(|(i, q)| (InstanceId(i), kind(q))).collect();
        let p = picture(3, &conditions, &holds);
        let (service, of) = (Service::XPROTECT[service], InstanceId(of));
        let known = move |id: InstanceId| id == of || known & (1 << id.0) != 0;
        let twins = Twins::of(p.config.site(HQ), |id| id != of && known(id));
        let all = [
            Bound::Nothing,
            Bound::Token(of),
            Bound::Affinity(of),
            Bound::Login,
            Bound::Handshake(of),
            Bound::Twinned { home: of, twins },
        ];
        let bound = all[usize::from(bound)];
        let twinned = matches!(bound, Bound::Twinned { .. });
        match pick(&p, HQ, service, bound) {
            Pick::To { instance, fallback, .. } => {
                prop_assert!(!p.quarantined(instance));
                if bound != Bound::Login {
                    prop_assert!(p.condition(instance, service) != Condition::Down);
                }
                if let Bound::Token(home) | Bound::Handshake(home) = bound {
                    prop_assert_eq!((instance, fallback), (home, None));
                }
                if let Some(fallback) = fallback {
                    prop_assert_ne!(fallback, instance);
                    let own = twinned && fallback == of && p.usable(fallback, service);
                    prop_assert!(own || p.eligible(fallback, service));
                }
                if twinned {
                    prop_assert!(known(instance) && fallback.is_none_or(known));
                    let serving = p.table.get(HQ, service).instance;
                    prop_assert!(serving == Some(instance) || !serving.is_some_and(known));
                }
            }
            Pick::SignInAgain { home } => {
                prop_assert_eq!(home, of);
                prop_assert!(twinned || bound == Bound::Token(of));
                prop_assert!(!p.config.instance_ids().any(|i| known(i) && p.eligible(i, service))
                    || matches!(bound, Bound::Token(_)));
                prop_assert!(p.table.login(HQ).is_some_and(|l| l != home));
            }
            Pick::Gone => prop_assert!(matches!(bound, Bound::Made(_))),
            Pick::Nobody => if bound == Bound::Nothing {
                prop_assert!(p.config.instance_ids().all(|i| !p.eligible(i, service)));
            }
        }
    }
}
