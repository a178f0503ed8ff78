//! Login throttling: what reaches the instance when passwords are tried out, and that nobody else is hurt by it.

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

use crate::support::client::{Call, Conn, Http, Reply, call, get, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;

const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const VICTIM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);

/// Sends a request from this address over plain HTTP.
async fn send(gatekeeper: &Gatekeeper, from: Ipv4Addr, call: Call) -> Reply {
    let Http { address, host, .. } = gatekeeper.plain();
    connection(address, from).await.send(&host, call).await.unwrap()
}

async fn connection(to: SocketAddr, from: Ipv4Addr) -> Conn {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let tcp = socket.connect(to).await.unwrap();
    let (send, conn) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(conn);
    Conn::H1(send)
}

/// Logins that the instance saw.
async fn arrived(sim: &Sim) -> usize {
    sim.requests_with("/connect/token").await
}

async fn start(options: &[&str]) -> (Sim, Gatekeeper) {
    let sim = Sim::start("a", options);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&sim])).await;
    (sim, gatekeeper)
}

async fn throttled(gatekeeper: &Gatekeeper, scope: &str) -> f64 {
    gatekeeper.metric("gatekeeper_logins_throttled_total", &[("site", "hq"), ("scope", scope)]).await
}

/// A refusal of ours in the words of the VMS.
fn is_ours(reply: &Reply) -> bool {
    if reply.header("gatekeeper-reason") != "login-throttled" {
        return false;
    }
    let body = reply.json();
    assert_eq!((reply.status, body["error"].as_str()), (400, Some("invalid_grant")), "{body}");
    assert_eq!(body["error_code"], "LockedOut");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spray_from_one_address_dies_at_the_door() {
    let (sim, gatekeeper) = start(&["--users", "200"]).await;
    let mut refused = 0;
    for n in 1..=200 {
        let reply = send(&gatekeeper, ATTACKER, password_grant(&format!("user{n}"), "Summer2024")).await;
        refused += usize::from(is_ours(&reply));
    }
    assert_eq!((arrived(&sim).await, refused), (20, 180));
    assert_eq!(throttled(&gatekeeper, "address").await, 180.0);
    // Not even a good password gets through from there; everybody else does not notice.
    assert!(is_ours(&send(&gatekeeper, ATTACKER, password_grant("user3", "user3-password")).await));
    send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.expect(200);
    // All at once, over many connections, from a fresh address.
    let all = (1..=200).map(|n| {
        let grant = password_grant(&format!("user{n}"), "Summer2024");
        send(&gatekeeper, Ipv4Addr::new(127, 0, 0, 67), grant)
    });
    assert_eq!(join_all(all).await.iter().filter(|reply| is_ours(reply)).count(), 180);
    assert_eq!(arrived(&sim).await, 41);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_wrong_passwords_do_not_lock_the_victim_out() {
    let (sim, gatekeeper) = start(&[]).await;
    let attack = |n: usize| send(&gatekeeper, ATTACKER, password_grant("user1", &format!("guess{n}")));
    let refused = join_all((0..50).map(attack)).await.iter().filter(|reply| is_ours(reply)).count();
    assert_eq!(arrived(&sim).await, 50 - refused);
    // Fewer than four on a busy machine: who waits for two seconds is not held any longer.
    while arrived(&sim).await < 4 {
        attack(50).await;
    }
    assert!(is_ours(&attack(51).await));
    assert_eq!(arrived(&sim).await, 4, "the simulator locks a user out after five");
    send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.expect(200);
    for n in 0..10 {
        assert!(is_ours(&attack(n).await));
    }
    // In other words, other spellings and other places it is the same user at the same address.
    for name in ["USER1", "%75ser1", "+user1", "%5BBASIC%5D%5Cuser1"] {
        assert!(is_ours(&send(&gatekeeper, ATTACKER, password_grant(name, "guess")).await), "{name}");
    }
    let soap = basic("[BASIC]\\user1", "guess");
    let reply = send(&gatekeeper, ATTACKER, soap).await.expect(429);
    assert_eq!(reply.header("gatekeeper-reason"), "login-throttled");
    assert!(reply.text().contains("<faultstring>"), "{}", reply.text());
    assert_eq!(arrived(&sim).await, 5);
    assert!(throttled(&gatekeeper, "user_address").await >= 50.0);
    send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.expect(200);
}

/// A call with HTTP Basic.
fn basic(user: &str, password: &str) -> Call {
    let credentials = STANDARD.encode(format!("{user}:{password}"));
    let body = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                <Login xmlns=\"http://videoos.net/2/XProtectCSServerCommand\">\
                <instanceId>9f9ba6ba-0c7b-4d6b-ae31-a2e8c26ad0bd</instanceId><currentToken/></Login></s:Body></s:Envelope>";
    call("POST", "/ManagementServer/ServerCommandService.svc")
        .header("authorization", &format!("Basic {credentials}"))
        .header("content-type", "text/xml; charset=utf-8")
        .body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_requests_are_throttled_like_logins() {
    let (sim, gatekeeper) = start(&[]).await;
    send(&gatekeeper, ATTACKER, basic("user1", "user1-password")).await.expect(200);
    let replies =
        join_all((0..50).map(|n| send(&gatekeeper, ATTACKER, basic("user1", &format!("guess{n}"))))).await;
    let tries = || async { sim.requests_with("Basic dXNlcjE6").await };
    assert_eq!(replies.iter().filter(|reply| reply.status != 429).count(), tries().await - 1);
    while tries().await < 5 {
        send(&gatekeeper, ATTACKER, basic("user1", "guess")).await;
    }
    // A page for which nobody has to log in proves nothing.
    let wsdl =
        get("/ManagementServer/ServerCommandService.svc?wsdl").header("authorization", "Basic dXNlcjE6eA==");
    send(&gatekeeper, ATTACKER, wsdl).await.expect(429);
    assert_eq!(tries().await, 5);
    send(&gatekeeper, VICTIM, basic("user1", "user1-password")).await.expect(200);
    send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_begins_anew_and_short_waits_are_held() {
    let (sim, gatekeeper) = start(&["--set", "lockout-threshold=4"]).await;
    for _ in 0..3 {
        // The third try waits for two seconds, but nobody is told.
        for _ in 0..2 {
            send(&gatekeeper, VICTIM, password_grant("user1", "mistyped")).await.expect(400);
        }
        send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.expect(200);
    }
    assert_eq!(arrived(&sim).await, 9);
    assert_eq!(throttled(&gatekeeper, "user_address").await, 6.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_has_used_a_try() {
    let (sim, gatekeeper) = start(&[]).await;
    let slow = serde_json::json!({"service": "identity", "mode": "slow", "ms": 300});
    assert!(sim.try_fault(&slow).await.status < 300);
    for n in 0..4 {
        let mut connection = connection(gatekeeper.process.address("plain"), ATTACKER).await;
        let started = tokio::spawn(async move {
            let _ = connection.send("vms.test", password_grant("user1", &format!("guess{n}"))).await;
        });
        until("the login has reached the instance", async || arrived(&sim).await > n).await;
        started.abort();
        // The next is held until this one is judged, or waits for the delay that follows.
    }
    until("the fourth failure is counted", async || {
        let reply = send(&gatekeeper, ATTACKER, password_grant("user1", "guess")).await;
        assert!(is_ours(&reply), "{}", reply.text());
        reply.header("retry-after").parse::<u32>().unwrap() > 60
    })
    .await;
    assert_eq!(arrived(&sim).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_fails_is_nobodys_wrong_password() {
    let (sim, gatekeeper) = start(&[]).await;
    sim.fault("identity", "page503").await;
    for _ in 0..10 {
        let reply = send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await;
        assert_eq!(reply.status, 503, "{}", reply.text());
    }
    sim.heal().await;
    until("the login works again", async || {
        send(&gatekeeper, VICTIM, password_grant("user1", "user1-password")).await.status == 200
    })
    .await;
    assert_eq!(throttled(&gatekeeper, "user_address").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_the_address_is_the_clients() {
    let sim = Sim::start("a", &[]);
    let config = Config::xprotect(&[&sim]).table("listener", "trusted_proxies = [\"127.0.0.1\"]");
    let gatekeeper = Gatekeeper::ready(config).await;
    let from = |address: &str, password: &str| {
        let grant = password_grant("user1", password).header("x-forwarded-for", address);
        send(&gatekeeper, Ipv4Addr::LOCALHOST, grant)
    };
    let replies = join_all((0..20).map(|_| from("203.0.113.9, 2001:db8:1:2::9", "guess"))).await;
    assert_eq!(replies.iter().filter(|reply| is_ours(reply)).count(), 16);
    // Another address of the same /64 is the same client.
    assert!(is_ours(&from("203.0.113.10, 2001:db8:1:2:ffff::1", "guess").await));
    from("2001:db8:1:3::9", "user1-password").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_in_one_form_are_refused() {
    let (sim, gatekeeper) = start(&[]).await;
    let form =
        "grant_type=password&username=user2&Username=user1&password=guess&client_id=GrantValidatorClient";
    let grant = call("POST", "/API/IDP/connect/token").form(form);
    let reply = send(&gatekeeper, ATTACKER, grant).await.expect(400);
    assert_eq!(
        (reply.json()["error"].as_str(), reply.header("gatekeeper-reason")),
        (Some("invalid_request"), "ambiguous-login")
    );
    assert_eq!(arrived(&sim).await, 0);
}
