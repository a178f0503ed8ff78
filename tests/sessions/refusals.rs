//! No credential goes to an instance because another one refused it; who is refused at the other is not tried again.

use serde_json::{Value, json};

use crate::support::client::{Http, call, get};
use crate::support::sim::Sim;
use crate::support::until;
use crate::world::{TOKEN, World, is_expired, issued, log_in, login, password, status, token_requests};

async fn change_password(sim: &Sim, user: &str, new: &str) {
    let http = sim.http();
    let admin = log_in(&http, "admin").await.token;
    let users = http.send(get("/API/rest/v1/basicUsers").bearer(&admin)).await.unwrap().expect(200).json();
    let user = users["array"].as_array().unwrap().iter().find(|u| u["name"] == user).unwrap();
    let task =
        format!("/API/rest/v1/basicUsers/{}?task=ChangePasswordBasicUser", user["id"].as_str().unwrap());
    http.send(call("POST", &task).bearer(&admin).json(&json!({ "password": new })))
        .await
        .unwrap()
        .expect(200);
}

async fn log_in_with(http: &Http, secret: &str) -> String {
    let form = password("user5", secret, "GrantValidatorClient");
    login(&http.send(call("POST", TOKEN).form(&form)).await.unwrap().expect(200)).token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_to_one_instance() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    for n in 1..=2 {
        let form = password("user1", "not-it", "GrantValidatorClient");
        let reply = http.send(call("POST", TOKEN).form(&form)).await.unwrap().expect(400).json();
        assert_eq!(reply["error_code"], "InvalidCredentials");
        assert_eq!(token_requests(&world.a).await.len(), n);
    }
    // Whatever a bad one would have set off has happened once a good one has its twin.
    world.twinned("user2").await;
    assert_eq!((token_requests(&world.a).await.len(), token_requests(&world.b).await.len()), (3, 1));
}

/// The user lives on one side only, or has another password there.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_twin_is_tried_once_with_each_secret() {
    let mut world = World::start().await;
    change_password(&world.b, "user5", "something-else").await;
    let before = token_requests(&world.b).await.len();
    let tries = async |world: &World| token_requests(&world.b).await.len() - before;
    let http = world.gatekeeper.h1();
    let mut token = log_in_with(&http, "user5-password").await;
    until("b was tried", async || tries(&world).await == 1).await;
    for _ in 0..4 {
        token = log_in_with(&http, "user5-password").await;
    }
    // Twins are asked for in no particular order: one that b takes comes after all of them.
    let good = world.twinned("user1").await;
    assert_eq!(tries(&world).await, 2, "one for user5, one for user1");
    let told: Value = serde_json::from_str(&world.gatekeeper.succeed(&["sessions", "--json"])).unwrap();
    let stuck = told["cannot_fail_over"].as_array().unwrap();
    assert_eq!(stuck.len(), 1, "{told}");
    assert_eq!((&stuck[0]["user"], &stuck[0]["reason"]), (&json!("user5"), &json!("refused")));
    assert!(world.gatekeeper.succeed(&["sessions"]).contains("user5"));

    change_password(&world.a, "user5", "new-password").await;
    let renewed = log_in_with(&http, "new-password").await;
    until("b was tried with the new one", async || tries(&world).await == 3).await;
    log_in_with(&http, "new-password").await;
    world.twinned("user1").await;
    assert_eq!(tries(&world).await, 4);

    world.a.kill();
    assert_eq!(status(&http, &good.token).await, 200);
    for token in [token, renewed] {
        is_expired(http.send(crate::world::cameras(&token)).await.unwrap());
    }
}

/// The twin's instance is away when the user logs in: the login is none the worse for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_does_not_wait_for_its_twin() {
    let mut world = World::start().await;
    world.b.fault("identity", "hang").await;
    let http = world.gatekeeper.h1();
    let started = std::time::Instant::now();
    let login = log_in(&http, "user1").await;
    assert_eq!(status(&http, &login.token).await, 200);
    // The instance that hangs answers never.
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(issued(&world.b).await, 0);
    world.b.kill();
    assert_eq!(status(&http, &login.token).await, 200);
}
