//! Who owns an instance has its tokens; replayed from elsewhere they are worth nothing at the other.

use crate::support::client::Http;
use crate::world::{Login, World, cameras, is_expired};

/// A login at an instance that has died since, a client at another address, and the cookie of another login.
async fn after_the_death_of_a(binding: &str) -> (World, Http, Login, Option<String>) {
    let mut world = World::with(&[], |c| c.in_site(&format!("twin_binding = \"{binding}\""))).await;
    let (login, other) = (world.twinned("user1").await, world.twinned("user2").await);
    let elsewhere = world.gatekeeper.h1().at("127.0.0.2");
    elsewhere.send(cameras(&login.token)).await.unwrap().expect(200);
    world.a.kill();
    world.gatekeeper.h1().send(cameras(&login.token)).await.unwrap().expect(200);
    (world, elsewhere, login, other.cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_address_a_token_is_its_homes_alone() {
    let (world, elsewhere, login, _) = after_the_death_of_a("address").await;
    is_expired(elsewhere.send(cameras(&login.token)).await.unwrap());
    let forged = cameras(&login.token).header("cookie", "gatekeeper_affinity=b");
    is_expired(elsewhere.send(forged).await.unwrap());
    assert_eq!(world.b.requests_with(&login.token).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_the_login_is_as_good_as_its_address() {
    let (_world, elsewhere, login, other) = after_the_death_of_a("address").await;
    let cookie = login.cookie.as_ref().expect("our cookie with the token");
    let with = |cookie: &str| cameras(&login.token).header("cookie", cookie);
    elsewhere.send(with(cookie)).await.unwrap().expect(200);
    // The cookie of another login is not.
    is_expired(elsewhere.send(with(&other.expect("our cookie"))).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_binding_a_twin_is_good_from_everywhere() {
    let (_world, elsewhere, login, _) = after_the_death_of_a("none").await;
    elsewhere.send(cameras(&login.token)).await.unwrap().expect(200);
}
