//! Refresh tokens: each instance sees its own only.

use crate::support::client::{Http, Reply, call};
use crate::world::{Login, TOKEN, World, got_body, is_from, issued, log_in, login, status, token_requests};

fn form(refresh: &str) -> String {
    format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={refresh}")
}

async fn try_renew(http: &Http, refresh: &str) -> Reply {
    http.send(call("POST", TOKEN).form(&form(refresh))).await.unwrap()
}

async fn renew(http: &Http, old: &Login) -> Login {
    login(&try_renew(http, old.refresh.as_ref().unwrap()).await.expect(200))
}

/// A refresh token was sent to nobody but its home.
async fn seen_only_at_home(world: &World, refresh: &str) {
    let (a, b) = (got_body(&world.a, &form(refresh)).await, got_body(&world.b, &form(refresh)).await);
    assert!(!(a && b), "both have seen it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_renews_the_twin() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let first = world.twinned("user1").await;
    let second = renew(&http, &first).await;
    world.twins(2).await;
    let third = renew(&http, &second).await;
    world.twins(3).await;
    for old in [&first, &second] {
        let refresh = old.refresh.as_ref().unwrap();
        assert!(got_body(&world.a, &form(refresh)).await);
        assert!(!got_body(&world.b, &form(refresh)).await, "b was shown a refresh token of a");
    }
    // All that b was asked worked: it was asked with its own tokens.
    assert_eq!(token_requests(&world.b).await.len(), 3);
    world.a.kill();
    for old in [&third, &second, &first] {
        assert_eq!(status(&http, &old.token).await, 200, "a token is good for its hour");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_home_is_down_the_twin_renews() {
    let mut world = World::with(&[], |c| c.table("failback", "mode = \"immediate\"")).await;
    let http = world.gatekeeper.h1();
    let first = world.twinned("user1").await;
    world.a.kill();
    let second = renew(&http, &first).await;
    assert!(is_from(&second.token, &world.b).await, "the client has tokens of b now");
    assert!(!got_body(&world.b, &form(first.refresh.as_ref().unwrap())).await);
    assert_eq!(status(&http, &second.token).await, 200);
    let third = renew(&http, &second).await;
    assert!(is_from(&third.token, &world.b).await);
    assert!(got_body(&world.b, &form(second.refresh.as_ref().unwrap())).await, "b is its home");

    world.a.restart();
    for service in ["identity", "config"] {
        world.gatekeeper.wait_serving(service, "a").await;
    }
    let fourth = renew(&http, &third).await;
    assert_eq!(status(&http, &fourth.token).await, 200);
    for login in [&first, &second, &third] {
        seen_only_at_home(&world, login.refresh.as_ref().unwrap()).await;
    }
    for login in [&second, &third, &fourth] {
        if is_from(&login.token, &world.b).await {
            assert_eq!(world.a.requests_with(&login.token).await, 0, "a was shown a token of b");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_nobody_knows_is_told_to_nobody() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    // It did not pass through us.
    let elsewhere = log_in(&world.b.http(), "user1").await;
    let before = (token_requests(&world.a).await.len(), token_requests(&world.b).await.len());
    for refresh in ["never-issued", elsewhere.refresh.as_ref().unwrap()] {
        let reply = try_renew(&http, refresh).await.expect(400).json();
        assert_eq!(reply["error"], "invalid_grant");
    }
    assert_eq!((token_requests(&world.a).await.len(), token_requests(&world.b).await.len()), before);
}

/// With a switch of the simulator, a used one is refused: twice the same renewal makes no second login.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_refresh_token_is_refused_and_costs_no_twin() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let first = world.twinned("user1").await;
    let second = renew(&http, &first).await;
    world.twins(2).await;
    let reply = try_renew(&http, first.refresh.as_ref().unwrap()).await.expect(400).json();
    assert_eq!(reply["error"], "invalid_grant");
    assert_eq!(issued(&world.b).await, 2);
    world.a.kill();
    assert_eq!(status(&http, &second.token).await, 200);
}
