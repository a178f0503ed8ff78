//! Orders about an instance, and the sessions that are there.

use crate::support::until;
use crate::world::{World, cameras, is_expired, is_from, log_in, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_moves_sessions_without_a_failure() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    let mut asked = 0;
    let drain = tokio::task::spawn_blocking({
        let url = format!("http://{}", world.gatekeeper.process.address("admin"));
        let token = world.gatekeeper.token_file();
        move || {
            std::process::Command::new(crate::support::gatekeeper::BINARY)
                .args(["drain", "a", "--reason", "test", "--admin", &url, "--token-file"])
                .arg(token)
                .status()
        }
    });
    while !drain.is_finished() {
        assert_eq!(status(&http, &login.token).await, 200);
        asked += 1;
    }
    assert!(drain.await.unwrap().unwrap().success() && asked > 0);
    world.gatekeeper.wait_serving("config", "b").await;
    let before = world.a.requests_with(&login.token).await;
    assert_eq!(status(&http, &login.token).await, 200);
    assert_eq!(world.a.requests_with(&login.token).await, before, "it has moved");
    world.gatekeeper.succeed(&["release", "a", "--reason", "test"]);
    world.gatekeeper.succeed(&["failback", "--reason", "test"]);
    world.gatekeeper.wait_serving("config", "a").await;
    assert_eq!(status(&http, &login.token).await, 200);
    assert_eq!(world.a.requests_with(&login.token).await, before + 1, "it has moved back");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_quarantined_instance_only_known_tokens_count_and_only_elsewhere() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    let known = world.twinned("user1").await;
    // Issued by a, but not through us: whoever owns a can make as many as he likes.
    let minted = log_in(&world.a.http(), "user2").await;
    world.gatekeeper.succeed(&["quarantine", "a", "--reason", "test"]);
    until("b serves", async || world.gatekeeper.serving("hq", "config").await.as_deref() == Some("b")).await;
    let last = world.a.requests().await.len();
    for _ in 0..3 {
        assert_eq!(status(&http, &known.token).await, 200);
        is_expired(http.send(cameras(&minted.token)).await.unwrap());
    }
    let fresh = log_in(&http, "user3").await;
    assert!(is_from(&fresh.token, &world.b).await);
    assert_eq!(status(&http, &fresh.token).await, 200);
    assert_eq!(world.a.requests().await.len(), last, "something reached an instance in quarantine");
    assert_eq!(world.b.requests_with(&known.token).await + world.b.requests_with(&minted.token).await, 0);

    world.gatekeeper.succeed(&["release", "a", "--reason", "test"]);
    world.both_up().await;
    assert_eq!(status(&http, &known.token).await, 200);
    assert_eq!(status(&http, &fresh.token).await, 200);
}

/// Nobody's password goes to an instance that is not trusted, also not as a twin.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_in_quarantine_is_shown_no_credential() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    world.gatekeeper.succeed(&["quarantine", "b", "--reason", "test"]);
    until("it is quiet", async || {
        let before = world.b.requests().await.len();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        world.b.requests().await.len() == before
    })
    .await;
    let before = world.b.requests().await.len();
    let login = log_in(&http, "user1").await;
    assert_eq!(status(&http, &login.token).await, 200);
    world.gatekeeper.succeed(&["release", "b", "--reason", "test"]);
    world.both_up().await;
    // The first good twin after the release: what would have gone there before, has.
    world.twinned("user2").await;
    let arrived = world.b.requests().await;
    let tokens =
        arrived[before..].iter().filter(|r| r["path"].as_str().is_some_and(|p| p.ends_with("/token")));
    assert_eq!(tokens.count(), 1);
}
