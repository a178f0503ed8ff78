#![allow(clippy::unwrap_used)]
use std::collections::HashMap;

use http::header::AUTHORIZATION;
use proptest::prelude::*;

use super::*;

fn throttle() -> Throttle {
    Throttle::new().unwrap()
}

fn claim(user: &str) -> Claim {
    let form = format!("grant_type=password&username={user}&password=p");
    Claim::of_form(form.as_bytes(), &http::HeaderMap::new()).unwrap().unwrap()
}

fn net(last: u8) -> ClientNet {
    std::net::IpAddr::from([192, 0, 2, last]).into()
}

fn at(seconds: u64) -> Moment {
    Moment::default() + Duration::from_secs(1_000_000 + seconds)
}

/// One login that is judged at once; whether it went to the instance.
fn login(throttle: &Throttle, who: Who, verdict: Verdict, now: Moment) -> bool {
    let goes = throttle.admit(who, now) == Decision::Go;
    if goes {
        throttle.settle(who, verdict, now);
    }
    goes
}

/// Tries every second; how many reached the instance.
fn tries(throttle: &Throttle, who: Who, verdict: Verdict, seconds: std::ops::Range<u64>) -> usize {
    seconds.filter(|s| login(throttle, who, verdict, at(*s))).count()
}

#[test]
fn a_row_of_failures_waits_longer_each_time_and_ends_with_a_success() {
    let throttle = throttle();
    let who = throttle.who("hq", &claim("joe"), net(1));
    let mut went = Vec::new();
    for s in 0..20_000 {
        if login(&throttle, who, Verdict::Failure, at(s)) {
            went.push(s);
        }
    }
    assert_eq!(went, [0, 1, 3, 11, 3611, 10_811], "four tries, then an hour, two hours");
    let wait = throttle.admit(who, at(20_000));
    assert!(matches!(wait, Decision::Wait { scope: Throttled::UserAddress, .. }), "{wait:?}");
    // From elsewhere the same user is not touched, nor is another one from there.
    let home = throttle.who("hq", &claim("joe"), net(2));
    assert!(login(&throttle, home, Verdict::Success, at(20_000)));
    let other = throttle.who("hq", &claim("eve"), net(1));
    assert!(login(&throttle, other, Verdict::Success, at(20_000)));
    // Where the user is at home, the fourth failure costs minutes.
    assert_eq!(tries(&throttle, home, Verdict::Failure, 20_001..20_015), 4);
    assert!(!login(&throttle, home, Verdict::Success, at(20_012 + 299)));
    assert!(login(&throttle, home, Verdict::Success, at(20_012 + 300)));
    assert_eq!(tries(&throttle, home, Verdict::Success, 20_400..20_410), 10);
}

#[test]
fn a_burst_has_no_more_tries_than_a_row() {
    let throttle = throttle();
    let who = throttle.who("hq", &claim("joe"), net(1));
    assert_eq!((0..50).filter(|_| throttle.admit(who, at(0)) == Decision::Go).count(), 4);
    assert_eq!(throttle.admit(who, at(0)), Decision::Full(Throttled::UserAddress));
    (0..3).for_each(|_| throttle.settle(who, Verdict::Failure, at(0)));
    throttle.settle(who, Verdict::Success, at(0));
    // Programs that share a user may log in together.
    assert_eq!((0..50).filter(|_| throttle.admit(who, at(1)) == Decision::Go).count(), 32);
}

#[test]
fn a_spray_ends_after_twenty_and_begins_again_weaker() {
    let throttle = throttle();
    let spray = |from: u64, to: u64, part: &str| {
        let one = |s: u64| throttle.who("hq", &claim(&format!("{part}{s}")), net(9));
        (from..to).filter(|s| login(&throttle, one(*s), Verdict::Failure, at(s / 10))).count()
    };
    assert_eq!(spray(0, 200, "a"), 20);
    assert_eq!(spray(0, 36_000, "b"), 10 + 5 + 2 + 1 + 1 + 1, "one hour at ten a second");
    let user = throttle.who("hq", &claim("joe"), net(8));
    assert!(login(&throttle, user, Verdict::Success, at(3600)), "others are not touched");
    let late = throttle.who("hq", &claim("joe"), net(9));
    assert!(login(&throttle, late, Verdict::Success, at(3600 + 2 * 960)), "forgotten after a long quiet");
}

#[test]
fn many_addresses_do_not_get_on_with_one_user_but_the_user_does() {
    let throttle = throttle();
    let from = |n: u32| {
        let address = std::net::Ipv4Addr::from(0x0A00_0000 + n);
        throttle.who("hq", &claim("joe"), std::net::IpAddr::from(address).into())
    };
    assert!(login(&throttle, from(0), Verdict::Success, at(0)));
    let went = (1..1000).filter(|n| login(&throttle, from(*n), Verdict::Failure, at(10))).count();
    assert_eq!(went, 100);
    assert!(matches!(throttle.admit(from(2000), at(20)), Decision::Wait { scope: Throttled::User, .. }));
    assert!(login(&throttle, from(0), Verdict::Success, at(20)), "where the user is at home");
    assert!(login(&throttle, from(2000), Verdict::Success, at(10 + 600)), "time ends it");
}

#[test]
fn a_lockout_is_held_against_strangers_only() {
    let throttle = throttle();
    let (home, stranger) =
        (throttle.who("hq", &claim("joe"), net(1)), throttle.who("hq", &claim("joe"), net(2)));
    assert!(login(&throttle, home, Verdict::Success, at(0)));
    assert_eq!(tries(&throttle, home, Verdict::LockedOut, 1..31), 30);
    assert_eq!(tries(&throttle, stranger, Verdict::LockedOut, 1..31), 4);
    assert_eq!(tries(&throttle, throttle.who("hq", &claim("eve"), net(3)), Verdict::Neither, 0..50), 50);
}

#[test]
fn one_user_has_one_name() {
    let throttle = throttle();
    let key = |site: &str, claim: &Claim| throttle.who(site, claim, net(1)).user.unwrap().pair;
    let joe = key("hq", &claim("joe"));
    for same in ["JOE", "+joe%20", "%6aoe", "%5Bbasic%5D%5CJoe"] {
        assert_eq!(key("hq", &claim(same)), joe, "{same}");
    }
    for other in ["joey", "DOM%5Cjoe", "joe%40dom"] {
        assert_ne!(key("hq", &claim(other)), joe, "{other}");
    }
    assert_ne!(key("branch", &claim("joe")), joe);
    assert_ne!(
        key("hq", &claim("joe")),
        super::Throttle::new().unwrap().who("hq", &claim("joe"), net(1)).user.unwrap().pair
    );
}

#[test]
fn claims_of_forms_and_headers() {
    let none = http::HeaderMap::new();
    let of = |form: &str, headers: &http::HeaderMap| {
        Claim::of_form(form.as_bytes(), headers).map(|claim| claim.map(|c| c.user().map(str::to_owned)))
    };
    let named = |name: &str| Ok(Some(Some(name.to_owned())));
    assert_eq!(of("Password=p&USERNAME=Joe&Grant_Type=password", &none), named("joe"));
    assert_eq!(of("grant_type=client_credentials&client_id=svc1&client_secret=x", &none), named("svc1"));
    assert_eq!(of("grant_type=password&client_id=GrantValidatorClient", &none), Ok(Some(None)));
    assert_eq!(of("grant_type=refresh_token&refresh_token=x&client_id=VmsClient", &none), Ok(None));
    assert_eq!(of("grant_type=authorization_code&code=x", &none), Ok(None));
    assert_eq!(of("grant_type=windows_credentials", &none), Ok(None));
    assert_eq!(of("grant_type=password&username=a&Username=b", &none), Err(Ambiguous));
    assert_eq!(
        of("grant_type=refresh_token&grant_type=password&refresh_token=x&username=a", &none),
        Err(Ambiguous)
    );
    assert_eq!(of("", &none), Ok(Some(None)));
    let header = |value: &str| http::HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
    let user = |value: &str| Claim::of_header(&header(value)).map(|c| c.user().map(str::to_owned));
    assert_eq!(of("grant_type=client_credentials", &header("Basic c3ZjMTp4")), named("svc1"));
    assert_eq!(user("Basic W0JBU0lDXVxKb2U6YTpi"), Some(Some("joe".into())), "[BASIC]\\Joe:a:b");
    assert_eq!(user("basic  Sm9l"), Some(Some("joe".into())));
    assert_eq!(user("Basic !!"), Some(Some(String::new())));
    assert_eq!(user("Bearer a.b.c"), None);
    assert_eq!(user("NTLM TlRMTVNTUAABAAAA"), None);
    let proof = format!(
        "NTLM {}",
        base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            crate::session::ntlm::tests::proof("VMS", "Win1")
        )
    );
    assert_eq!(user(&proof), Some(Some("vms\\win1".into())));
    assert_eq!(Claim::of_ntlm(&header("Basic Sm9l")), None);
}

/// One step of the storm.
#[derive(Clone, Debug)]
enum Step {
    Begin { user: u8, address: u8 },
    End { nth: usize, verdict: Verdict },
    Pass { millis: u32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![
        5 => Just(Verdict::Failure),
        2 => Just(Verdict::Success),
        1 => Just(Verdict::LockedOut),
        1 => Just(Verdict::Neither),
    ];
    let step = prop_oneof![
        6 => (0..4_u8, 0..3_u8).prop_map(|(user, address)| Step::Begin { user, address }),
        5 => (any::<usize>(), verdict).prop_map(|(nth, verdict)| Step::End { nth, verdict }),
        3 => prop_oneof![0..3000_u32, 0..100_000_u32, Just(4_000_000_u32)].prop_map(|millis| Step::Pass { millis }),
    ];
    prop::collection::vec(step, 1..300)
}

/// What has happened, kept as a list without any limit.
#[derive(Default)]
struct Model {
    /// (user, address, when), of the failures that count.
    failures: Vec<(u8, u8, Moment)>,
    successes: HashMap<(u8, u8), Moment>,
    pending: Vec<(u8, u8)>,
}

impl Model {
    fn row(&self, user: u8, address: u8, now: Moment) -> Vec<Moment> {
        let mut row = Vec::new();
        let since = self.successes.get(&(user, address));
        for (u, a, when) in &self.failures {
            if (*u, *a) == (user, address) && since.is_none_or(|s| when > s) {
                if row.last().is_some_and(|last| when.since(*last) >= Duration::from_secs(86_400)) {
                    row.clear();
                }
                row.push(*when);
            }
        }
        if row.last().is_some_and(|last| now.since(*last) >= Duration::from_secs(86_400)) {
            Vec::new()
        } else {
            row
        }
    }

    fn within(&self, window: u64, now: Moment, one: impl Fn(u8, u8) -> bool) -> usize {
        let recent = |when: Moment| now.since(when) < Duration::from_secs(window);
        self.failures.iter().filter(|(u, a, when)| one(*u, *a) && recent(*when)).count()
    }
}

proptest! {
    /// Whatever happens in whatever order: no more failures than the limits allow ever reach an
    /// instance, and nobody waits who did nothing.
    #[test]
    fn no_order_of_things_gets_round_the_limits(steps in steps()) {
        let throttle = throttle();
        let (mut model, mut now) = (Model::default(), at(0));
        let who = |user: u8, address: u8| throttle.who("hq", &claim(&format!("u{user}")), net(address));
        for step in steps {
            // Two things at one microsecond have no order.
            now = now + Duration::from_micros(1);
            match step {
                Step::Pass { millis } => now = now + Duration::from_millis(millis.into()),
                Step::End { nth, verdict } if !model.pending.is_empty() => {
                    let (user, address) = model.pending.swap_remove(nth % model.pending.len());
                    let known = model.successes.get(&(user, address)).is_some_and(|s| now.since(*s) < Duration::from_secs(86_400));
                    throttle.settle(who(user, address), verdict, now);
                    match verdict {
                        Verdict::Success => drop(model.successes.insert((user, address), now)),
                        Verdict::LockedOut if known => {}
                        Verdict::Failure | Verdict::LockedOut => model.failures.push((user, address, now)),
                        Verdict::Neither => {}
                    }
                    // What was on its way at a success counts anew afterwards, hence the room of 32.
                    let most = if model.successes.is_empty() { 20 } else { 20 + 32 };
                    prop_assert!(model.within(60, now, |_, a| a == address) <= most);
                }
                Step::End { .. } => {}
                Step::Begin { user, address } => {
                    let decision = throttle.admit(who(user, address), now);
                    let row = model.row(user, address, now);
                    let pending = model.pending.iter().filter(|p| **p == (user, address)).count();
                    let success = model.successes.get(&(user, address));
                    let known = success.is_some_and(|s| now.since(*s) < Duration::from_secs(86_400));
                    let quiet = model.within(4_000, now, |_, a| a == address) == 0;
                    match decision {
                        Decision::Go => {
                            if let Some(last) = row.last() {
                                let least = match row.len() { 1 => 1, 2 => 2, 3 => 8, _ if known => 300, _ => 3600 };
                                prop_assert!(now.since(*last) >= Duration::from_secs(least));
                            }
                            if !known {
                                prop_assert!(row.len() + pending < 4 || pending == 0, "{} {}", row.len(), pending);
                            }
                            model.pending.push((user, address));
                        }
                        Decision::Wait { scope, due } => {
                            prop_assert!(due > now);
                            match scope {
                                Throttled::UserAddress => prop_assert!(!row.is_empty()),
                                Throttled::Address => prop_assert!(!quiet, "{address} is blocked for nothing"),
                                Throttled::User => prop_assert!(!known && model.failures.len() >= 6),
                            }
                        }
                        Decision::Full(scope) => {
                            prop_assert!(!model.pending.is_empty() || scope == Throttled::Address);
                            prop_assert!(scope != Throttled::User || !known);
                        }
                    }
                }
            }
        }
        // Nothing stays behind of logins that were judged: a day later everybody begins anew.
        for (user, address) in std::mem::take(&mut model.pending) {
            throttle.settle(who(user, address), Verdict::Neither, now);
        }
        now = now + Duration::from_secs(86_401);
        for address in 0..3 {
            for user in 0..4 {
                prop_assert_eq!(throttle.admit(who(user, address), now), Decision::Go);
                throttle.settle(who(user, address), Verdict::Neither, now);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_form(form in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(Some(claim)) = Claim::of_form(&form, &http::HeaderMap::new()) {
            throttle().who("hq", &claim, net(1));
        }
    }
}
