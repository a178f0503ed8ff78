//! What a hostile instance does, one line each.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};

use super::browser::Browser;
use super::evil::{Loot, MARK, Trick};
use super::forge::{Seal, kid};
use super::world::World;
use crate::support::client::{call, get};
use crate::support::ws::Events;

pub struct Case {
    pub name: &'static str,
    /// Played for requests whose target contains this.
    pub on: &'static str,
    pub trick: Trick,
    /// What users do; gives what is wrong with what they were told.
    pub play: for<'w> fn(&'w mut World<'_>) -> Play<'w>,
}

pub type Play<'w> = Pin<Box<dyn Future<Output = Vec<String>> + 'w>>;

const REST: &str = "/API/rest/v1/hardware";
const TOKEN: &str = "/connect/token";
const KEYS: &str = "/jwks";
const OPENID: &str = "/openid-configuration";

pub const CASES: &[Case] = &[
    // Addresses.
    case("a redirect to the other", REST, Trick::Change(|loot, _| redirect(302, loot)), browse),
    case("a redirect that takes the body along", REST, Trick::Change(|loot, _| redirect(307, loot)), write),
    case("a redirect of the login", TOKEN, Trick::Change(|loot, _| redirect(307, loot)), log_in),
    case("a discovery that names the other", OPENID, Trick::Change(others_discovery), read_documents),
    case(
        "addresses of the other in a list",
        "/registeredServices",
        Trick::Change(others_addresses),
        services,
    ),
    // Cookies.
    case("cookies for the host of the other", REST, Trick::Change(cookies), browse),
    case("a forged affinity", REST, Trick::Change(affinity), browse),
    case("a hundred headers of cookies", REST, Trick::Change(many_cookies), browse),
    // Tokens.
    case("a replayed token", TOKEN, Trick::Change(replayed_token), log_in_and_browse),
    case("a claimed refresh token", TOKEN, Trick::Change(claimed_refresh), log_in_and_renew),
    case("a minted token as login", TOKEN, Trick::Change(minted_login), log_in_and_browse),
    case("tokens minted under the other's name", REST, Trick::Change(|_, real| real), present_minted),
    case("the other's key id with an own key", KEYS, Trick::Change(others_kid), present_under_claimed_kid),
    case(
        "the other's name and key id with an own key",
        OPENID,
        Trick::Change(others_name_and_kid),
        present_under_claimed_kid,
    ),
    case("the other's keys", KEYS, Trick::Change(|loot, _| say(&loot.keys.to_string())), read_documents),
    case("keys that are no JSON", KEYS, Trick::Change(|_, _| say("<html>evil</html>")), read_documents),
    case("100,000 keys", KEYS, Trick::Change(many_keys), read_documents),
    case(
        "a key set of 1 GB",
        KEYS,
        Trick::Pour("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", 1024),
        read_documents,
    ),
    // Sizes.
    case(
        "an answer of 1 GB",
        REST,
        Trick::Pour("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", 1024),
        browse_once,
    ),
    case(
        "a login of 1 GB",
        TOKEN,
        Trick::Pour("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", 1024),
        log_in,
    ),
    case(
        "a list with addresses of 1 GB",
        "/registeredServices",
        Trick::Pour(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n",
            1024,
        ),
        services,
    ),
    case("10,000 headers", REST, Trick::Change(many_headers), browse),
    case("a header of 1 MB", REST, Trick::Change(long_header), browse),
    // Framing.
    case(
        "1xx without end",
        REST,
        Trick::Flood("HTTP/1.1 103 Early Hints\r\nLink: <evil-mark>\r\n\r\n"),
        browse,
    ),
    case(
        "a chunk that never begins",
        REST,
        Trick::Flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000000"),
        browse_once,
    ),
    case(
        "101 unasked",
        REST,
        Trick::Change(|_, _| {
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: evil-mark\r\n\r\nevil-mark"
                .to_vec()
        }),
        browse,
    ),
    case(
        "an upgrade to something else",
        "/API/ws/events",
        Trick::Change(|_, _| {
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: evil-mark\r\n\r\nevil-mark"
                .to_vec()
        }),
        open_socket,
    ),
    case(
        "two lengths",
        REST,
        Trick::Change(|_, _| {
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nevilevil-".to_vec()
        }),
        browse,
    ),
    case(
        "length and chunks",
        REST,
        Trick::Change(|_, _| {
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nevil-mark".to_vec()
        }),
        browse,
    ),
    case("two answers to one request", REST, Trick::Change(two_answers), browse),
    case("garbage every other time", REST, Trick::Change(alternating), browse),
    case(
        "an answer without end of head",
        REST,
        Trick::Change(|_, _| b"HTTP/1.1 200 OK\r\nX-Evil: ".to_vec()),
        browse_once,
    ),
    // Meaning.
    case("ids of the other", REST, Trick::Change(planted_ids), follow_ids),
    case(
        "hop-by-hop names of what others need",
        REST,
        Trick::Change(|_, real| {
            with_header(&real, "Connection: keep-alive, authorization, x-forwarded-for, content-type")
        }),
        browse,
    ),
    case(
        "a challenge for Windows users",
        REST,
        Trick::Change(|_, _| {
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM TlRMTVNTUAACAAAA\r\nContent-Length: 0\r\n\r\n".to_vec()
        }),
        browse,
    ),
];

const fn case(
    name: &'static str,
    on: &'static str,
    trick: Trick,
    play: for<'w> fn(&'w mut World<'_>) -> Play<'w>,
) -> Case {
    Case { name, on, trick, play }
}

// What users do.

/// The victim asks three times for what evil answers, others in between for theirs.
fn browse<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        for _ in 0..3 {
            let _ = world.victim.ask(REST).await;
            let _ = world.honest.ask("/API/rest/v1/sites").await;
        }
        Vec::new()
    })
}

/// The same once, because it takes long.
fn browse_once<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.skim(REST).await;
        Vec::new()
    })
}

fn write<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let write = call("POST", &format!("{REST}?who=user1"))
            .bearer(&world.victim.token)
            .json(&json!({"name": "new"}));
        let _ = world.victim.send(write).await;
        Vec::new()
    })
}

fn services<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.ask("/API/rest/v1/registeredServices").await;
        Vec::new()
    })
}

fn log_in<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.log_in().await;
        Vec::new()
    })
}

/// A login, and requests with whatever came of it.
fn log_in_and_browse<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.log_in().await;
        for _ in 0..2 {
            let _ = world.victim.ask(REST).await;
            let _ = world.honest.ask("/API/rest/v1/sites").await;
        }
        // What it was given was another's: it has to log in again, and is itself then.
        world.victim.token.clear();
        Vec::new()
    })
}

/// The refresh token that evil has claimed is the honest user's.
fn log_in_and_renew<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.log_in().await;
        world.victim.refresh.clear();
        match world.honest.renew().await {
            Ok(reply) if reply.status == 200 => Vec::new(),
            other => vec![format!("the honest user cannot renew: {:?}", other.map(|r| r.status))],
        }
    })
}

/// A stranger shows tokens under the honest instance's name.
fn present_minted<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.ask(REST).await;
        let loot = world.loot.clone();
        let (other, own) = (kid(&loot.token), kid(&world.victim.token));
        let issuer = super::forge::issuer(&loot.token);
        let mint = |template: &str, name: (&str, Option<&str>), seal| loot.forger.mint(template, name, seal);
        let tokens = [
            mint(&loot.token, (&other, None), Seal::Own),
            mint(&loot.token, (&other, None), Seal::None),
            mint(&loot.token, (&other, None), Seal::Public),
            mint(&loot.token, (&own, None), Seal::Own),
            mint(&world.victim.token, (&own, Some(&issuer)), Seal::Own),
            mint(&world.victim.token, (&other, Some(&issuer)), Seal::Own),
        ];
        refused(world, &tokens).await
    })
}

fn present_under_claimed_kid<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        world.reread().await;
        let loot = world.loot.clone();
        let token = loot.forger.mint(&loot.token, (&kid(&loot.token), None), Seal::Own);
        refused(world, &[token]).await
    })
}

/// None of these is served, and none comes to the honest instance.
async fn refused(world: &mut World<'_>, tokens: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        let mut stranger = Browser::new("stranger", world.gatekeeper.h1(), &world.ledger);
        stranger.token.clone_from(token);
        match stranger.ask("/API/rest/v1/sites").await {
            Ok(reply) if reply.status == 401 => {}
            other => wrong.push(format!("minted token {n} was answered {:?}", other.map(|r| r.status))),
        }
        let signature = token.rsplit_once('.').unwrap().0;
        if world.good.requests_with(signature).await > 0 {
            wrong.push(format!("minted token {n} came to the honest instance"));
        }
    }
    wrong
}

/// The gatekeeper reads documents again while evil plays; clients read ours.
fn read_documents<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        world.reread().await;
        let mut wrong = Vec::new();
        for path in [
            "/IDP/.well-known/openid-configuration",
            "/IDP/.well-known/openid-configuration/jwks",
            "/API/.well-known/uris",
        ] {
            match world.victim.send(get(path)).await {
                Ok(reply) if reply.status == 200 => {}
                other => wrong.push(format!("{path}: {:?}", other.map(|r| r.status))),
            }
        }
        let _ = world.victim.ask(REST).await;
        wrong
    })
}

fn open_socket<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let http = world.gatekeeper.h1();
        match Events::connect(&http, "/API/ws/events/v1?who=user1", Some(&world.victim.token)).await {
            Err(_) => Vec::new(),
            Ok(_) => vec!["an upgrade that nobody asked for was passed on".into()],
        }
    })
}

/// The victim follows what evil has shown.
fn follow_ids<'w>(world: &'w mut World<'_>) -> Play<'w> {
    Box::pin(async move {
        let _ = world.victim.ask(REST).await;
        let ids: Vec<String> = world.loot.cameras.iter().take(5).cloned().collect();
        for id in ids {
            let _ = world.victim.ask(&format!("/API/rest/v1/cameras/{id}")).await;
        }
        Vec::new()
    })
}

// What evil answers.

fn say(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn redirect(status: u16, loot: &Loot) -> Vec<u8> {
    let good = &loot.good;
    format!("HTTP/1.1 {status} Found\r\nLocation: {good}/API/rest/v1/{MARK}\r\nContent-Location: {good}/{MARK}\r\nRefresh: 0;url={good}/{MARK}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}

/// The real answer with one more header.
fn with_header(real: &[u8], header: &str) -> Vec<u8> {
    let end = real.windows(2).position(|w| w == b"\r\n").unwrap_or(0);
    [&real[..end], b"\r\n", header.as_bytes(), &real[end..]].concat()
}

fn body_of(real: &[u8]) -> Value {
    let start = real.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
    serde_json::from_slice(&real[start..]).unwrap_or_default()
}

fn others_discovery(loot: &Loot, _: Vec<u8>) -> Vec<u8> {
    let mut document = loot.openid.clone();
    document["jwks_uri"] = json!(format!("{}/{MARK}", loot.good));
    say(&document.to_string())
}

fn others_addresses(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let mut body = body_of(&real);
    body["array"] = json!([{"uri": format!("{}/{MARK}", loot.good)}]);
    say(&body.to_string())
}

fn cookies(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let host = loot.good.trim_start_matches("http://");
    let cookie =
        |name: &str, domain: &str| format!("Set-Cookie: {name}={MARK}; Domain={domain}; Path=/; Secure");
    let lines = [
        cookie("one", host),
        cookie("two", "127.0.0.1"),
        cookie("idsrv", "test"),
        cookie(".AspNetCore.Antiforgery", "vms.test"),
    ];
    with_header(&real, &lines.join("\r\n"))
}

fn affinity(_: &Loot, real: Vec<u8>) -> Vec<u8> {
    with_header(
        &real,
        &format!(
            "Set-Cookie: gatekeeper_affinity={MARK}; Path=/\r\nSet-Cookie: gatekeeper_affinity=; Path=/API"
        ),
    )
}

fn many_cookies(_: &Loot, real: Vec<u8>) -> Vec<u8> {
    let lines: Vec<String> = (0..80).map(|n| format!("Set-Cookie: c{n}={MARK}{n}; Path=/")).collect();
    with_header(&real, &lines.join("\r\n"))
}

fn replayed_token(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let mut body = body_of(&real);
    body["access_token"] = json!(loot.token);
    say(&body.to_string())
}

fn claimed_refresh(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let mut body = body_of(&real);
    body["refresh_token"] = json!(loot.refresh);
    say(&body.to_string())
}

fn minted_login(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let mut body = body_of(&real);
    body["access_token"] = json!(loot.forger.mint(&loot.token, (&kid(&loot.token), None), Seal::Own));
    say(&body.to_string())
}

fn others_kid(loot: &Loot, _: Vec<u8>) -> Vec<u8> {
    say(&json!({"keys": [loot.forger.key(&kid(&loot.token))]}).to_string())
}

/// Both documents are asked for under one path.
fn others_name_and_kid(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let of_keys = body_of(&real).get("keys").is_some();
    if of_keys { others_kid(loot, real) } else { say(&loot.openid.to_string()) }
}

fn many_keys(loot: &Loot, _: Vec<u8>) -> Vec<u8> {
    let keys: Vec<Value> = (0..100_000)
        .map(|n| json!({"kid": n.to_string()}))
        .chain([loot.forger.key(&kid(&loot.token))])
        .collect();
    say(&json!({ "keys": keys }).to_string())
}

fn many_headers(_: &Loot, real: Vec<u8>) -> Vec<u8> {
    let lines: Vec<String> = (0..10_000).map(|n| format!("X-Evil-{n}: {MARK}")).collect();
    with_header(&real, &lines.join("\r\n"))
}

fn long_header(_: &Loot, real: Vec<u8>) -> Vec<u8> {
    with_header(&real, &format!("X-Evil: {}", MARK.repeat(120_000)))
}

fn two_answers(_: &Loot, _: Vec<u8>) -> Vec<u8> {
    [say("{\"array\":[]}"), say(&format!("{{\"array\":[\"{MARK}\"]}}"))].concat()
}

fn alternating(loot: &Loot, real: Vec<u8>) -> Vec<u8> {
    let turn = loot.turns();
    if turn.is_multiple_of(2) {
        real
    } else {
        format!("{MARK} \0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").into_bytes()
    }
}

fn planted_ids(loot: &Loot, _: Vec<u8>) -> Vec<u8> {
    let rows: Vec<Value> = loot
        .cameras
        .iter()
        .map(|id| json!({"id": id, "name": "evil", "relations": {"self": {"type": "hardware", "id": id}}}))
        .collect();
    say(&json!({ "array": rows }).to_string())
}
