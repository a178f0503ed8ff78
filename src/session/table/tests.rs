#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::session::client::ClientNet;
use crate::session::login::{Opening, Tokens, Twin, Without};

const HOME: u64 = 1;
const OTHER: u64 = 2;

fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn hash(n: usize) -> Hash {
    Hash::of(&n.to_le_bytes())
}

fn session(token: Hash, user: &str, expires: Moment) -> Arc<Session> {
    let opening = Opening {
        site: "hq".into(),
        user: user.into(),
        home: HOME,
        token,
        expires,
        client: ClientNet::from(std::net::IpAddr::from([192, 0, 2, 1])),
        refresh: Some(Hash::of(user.as_bytes())),
    };
    Arc::new(Session::new(opening, &[(OTHER, Twin::Pending)]))
}

fn tokens(text: &str, expires: Moment) -> Tokens {
    Tokens { access: SecretString::from(text), expires, refresh: Some(SecretString::from("renew")) }
}

#[test]
fn a_twin_is_there_when_it_came_and_until_it_ends() {
    let (table, session) = (Sessions::default(), session(hash(1), "joe", at(100)));
    table.insert(&session, at(0));
    assert!(session.is_pending() && !session.has_twin(OTHER, at(1)));
    session.settle(OTHER, Ok(tokens("b", at(50))));
    let found = table.find(hash(1), at(1)).unwrap();
    assert_eq!(found.authorization(OTHER, at(1)).unwrap(), "Bearer b");
    assert!(found.authorization(OTHER, at(1)).unwrap().is_sensitive());
    assert_eq!(found.authorization(HOME, at(1)), None, "the client has that one itself");
    assert!(!found.has_twin(OTHER, at(50)));
    assert_eq!(found.twins(at(50)), [(OTHER, Twin::None(Without::Expired))]);
    assert!(table.find(hash(1), at(100)).is_none());
    assert!(table.find_renewal(Hash::of(b"joe"), at(101)).is_some(), "clients may be late");
}

#[test]
fn a_refresh_token_is_used_once() {
    let session = session(hash(1), "joe", at(100));
    session.settle(OTHER, Ok(tokens("b", at(50))));
    assert_eq!(session.take_refresh_token(OTHER).unwrap().expose_secret(), "renew");
    assert!(session.take_refresh_token(OTHER).is_none());
    assert!(session.take_refresh_tokens().is_empty());
    session.not_reached(OTHER, Some("renew".into()));
    assert_eq!(session.take_refresh_tokens().len(), 1);
}

#[test]
fn a_token_of_two_users_is_nobodys_elsewhere() {
    let table = Sessions::default();
    let (one, two) = (session(hash(1), "joe", at(100)), session(hash(1), "eve", at(100)));
    one.settle(OTHER, Ok(tokens("joe's", at(50))));
    two.settle(OTHER, Ok(tokens("eve's", at(50))));
    table.insert(&one, at(0));
    table.insert(&two, at(0));
    assert!(!one.has_twin(OTHER, at(1)) && !two.has_twin(OTHER, at(1)));
    // Also a twin that comes only now.
    let three = session(hash(1), "joe", at(100));
    table.insert(&three, at(1));
    three.settle(OTHER, Ok(tokens("joe's", at(50))));
    assert!(!three.has_twin(OTHER, at(1)), "what was lost stays lost");
}

#[test]
fn the_table_is_bounded_and_the_shortest_lived_go() {
    let table = Sessions::bounded(SHARDS * 2);
    for n in 0..10_000 {
        table.insert(&session(hash(n), &n.to_string(), at(100 + n as u64)), at(0));
    }
    let mut left = 0;
    table.each(at(0), |_| left += 1);
    assert!(left <= SHARDS * 2, "{left}");
    assert!(table.find(hash(9_999), at(0)).is_some());
    table.sweep(at(1_000_000));
    table.each(at(0), |_| panic!("nothing is kept that has ended"));
}

#[derive(Clone, Debug)]
enum Step {
    LogIn { token: usize, user: usize, life: u64 },
    Settle { token: usize, text: String, life: u64 },
    Refuse { token: usize },
    Lose { token: usize },
    LogOut { token: usize },
    Wait { seconds: u64 },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let token = 0..4_usize;
    prop_oneof![
        (token.clone(), 0..2_usize, 1..30_u64).prop_map(|(token, user, life)| Step::LogIn {
            token,
            user,
            life
        }),
        (token.clone(), "[a-z]{4}", 1..30_u64).prop_map(|(token, text, life)| Step::Settle {
            token,
            text,
            life
        }),
        token.clone().prop_map(|token| Step::Refuse { token }),
        token.clone().prop_map(|token| Step::Lose { token }),
        token.prop_map(|token| Step::LogOut { token }),
        (1..20_u64).prop_map(|seconds| Step::Wait { seconds }),
        Just(Step::Sweep),
    ]
}

/// What one token should be worth at the other instance.
#[derive(Clone)]
struct Model {
    user: usize,
    expires: u64,
    twin: Option<(String, u64)>,
    /// Two users claimed it.
    poisoned: bool,
}

proptest! {
    /// In any order of logins, answers, refusals, ends and time: a token finds exactly the twin that
    /// the last login with it got, as long as both live, and never one of another user.
    #[test]
    fn the_table_agrees_with_a_simple_model(steps in prop::collection::vec(step(), 0..60)) {
        let table = Sessions::default();
        let mut model: HashMap<usize, Model> = HashMap::new();
        let mut clock = 0;
        for step in steps {
            let now = at(clock);
            match step {
                Step::LogIn { token, user, life } => {
                    table.insert(&session(hash(token), &user.to_string(), at(clock + life)), now);
                    let known = model.get(&token);
                    let poisoned = known.is_some_and(|m| m.poisoned || m.user != user);
                    model.insert(token, Model { user, expires: clock + life, twin: None, poisoned });
                }
                Step::Settle { token, text, life } => {
                    if let Some(found) = table.find(hash(token), now) {
                        found.settle(OTHER, Ok(tokens(&text, at(clock + life))));
                    }
                    if let Some(m) = model.get_mut(&token).filter(|m| m.expires > clock && !m.poisoned) {
                        m.twin = Some((text, clock + life));
                    }
                }
                Step::Refuse { token } => {
                    if let Some(found) = table.find(hash(token), now) {
                        found.settle(OTHER, Err(Without::Refused));
                    }
                    model.entry(token).and_modify(|m| if m.expires > clock { m.twin = None });
                }
                Step::Lose { token } => {
                    if let Some(found) = table.find(hash(token), now) {
                        found.lose(OTHER);
                    }
                    model.entry(token).and_modify(|m| if m.expires > clock { m.twin = None });
                }
                Step::LogOut { token } => {
                    if let Some(found) = table.find(hash(token), now) {
                        table.forget(&found);
                        model.remove(&token);
                    }
                }
                Step::Wait { seconds } => clock += seconds,
                Step::Sweep => {
                    table.sweep(now);
                    model.retain(|_, m| m.expires > clock);
                }
            }
            let now = at(clock);
            for token in 0..4 {
                let found = table.find(hash(token), now);
                let known = model.get(&token).filter(|m| m.expires > clock);
                prop_assert_eq!(found.is_some(), known.is_some());
                let twin = found.and_then(|s| s.token(OTHER, now));
                let wanted = known.and_then(|m| m.twin.as_ref()).filter(|(_, end)| *end > clock);
                prop_assert_eq!(twin.as_ref().map(ExposeSecret::expose_secret), wanted.map(|(t, _)| t.as_str()));
            }
        }
    }
}
