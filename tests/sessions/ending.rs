//! Logging out reaches both sides.

use crate::support::client::{Reply, call};
use crate::support::until;
use crate::world::{Login, TOKEN, World, cameras, got_body, is_expired, posts};

fn revocation(token: &str) -> String {
    format!("client_id=VmsClient&token={token}")
}

async fn renewal(world: &World, login: &Login) -> Reply {
    let refresh = login.refresh.as_ref().unwrap();
    let form = format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={refresh}");
    world.gatekeeper.h1().send(call("POST", TOKEN).form(&form)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_login_has_no_twin_any_more() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let (gone, stays) = (world.twinned("user1").await, world.twinned("user1").await);
    let form = revocation(gone.refresh.as_ref().unwrap());
    http.send(call("POST", "/API/IDP/connect/revocation").form(&form)).await.unwrap().expect(200);
    assert!(got_body(&world.a, &form).await);
    until("b was told", async || posts(&world.b, "/connect/revocation").await.len() == 1).await;
    assert!(!got_body(&world.b, &form).await, "b was shown a refresh token of a");
    assert_eq!(renewal(&world, &gone).await.expect(400).json()["error"], "invalid_grant");
    world.a.kill();
    is_expired(http.send(cameras(&gone.token)).await.unwrap());
    assert_eq!(renewal(&world, &gone).await.expect(400).json()["error"], "invalid_grant");
    // Another login of the same user is another login.
    http.send(cameras(&stays.token)).await.unwrap().expect(200);
    renewal(&world, &stays).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_access_token_has_no_twin_any_more() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    let form = revocation(&login.token);
    http.send(call("POST", "/IDP/connect/revocation").form(&form)).await.unwrap().expect(200);
    world.a.kill();
    is_expired(http.send(cameras(&login.token)).await.unwrap());
    assert_eq!(world.b.requests_with(&login.token).await, 0);
}

/// Who logs out while the home is down shall not be logged in again when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_while_the_home_is_down_is_made_up_for() {
    let mut world = World::with(&[], |c| c.table("failback", "mode = \"immediate\"")).await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    // Frozen, not killed: a killed simulator would forget the login by itself.
    world.a.fault("all", "stop").await;
    world.gatekeeper.wait_up("a", "identity", false).await;
    let form = revocation(login.refresh.as_ref().unwrap());
    http.send(call("POST", "/API/IDP/connect/revocation").form(&form)).await.unwrap().expect(200);
    until("b was told", async || posts(&world.b, "/connect/revocation").await.len() == 1).await;
    is_expired(http.send(cameras(&login.token)).await.unwrap());
    world.a.heal().await;
    world.gatekeeper.wait_up("a", "identity", true).await;
    until("a was told", async || got_body(&world.a, &form).await).await;
    assert_eq!(renewal(&world, &login).await.expect(400).json()["error"], "invalid_grant");
    world.a.kill();
}
