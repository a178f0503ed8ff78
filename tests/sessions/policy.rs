//! Whose credentials another instance may see.

use crate::world::{World, cameras, is_expired, log_in, status, token_requests};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_twinned_where_that_is_off() {
    for lines in ["twin = \"none\"", "ids = \"native\""] {
        let mut world = World::with(&[], |c| c.in_site(lines)).await;
        let http = world.gatekeeper.h1();
        let logins = [log_in(&http, "user1").await, log_in(&http, "admin").await];
        for login in &logins {
            assert_eq!(status(&http, &login.token).await, 200);
        }
        world.a.kill();
        for login in &logins {
            is_expired(http.send(cameras(&login.token)).await.unwrap());
        }
        assert_eq!(token_requests(&world.b).await.len(), 0, "{lines}");
        world.gatekeeper.wait_serving("identity", "b").await;
        let again = log_in(&http, "user1").await;
        assert_eq!(status(&http, &again.token).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_can_be_left_out() {
    let mut world = World::with(&[], |c| c.in_site("twin = \"non-administrators\"")).await;
    let http = world.gatekeeper.h1();
    let admin = log_in(&http, "admin").await;
    let (operator, guard) = (world.twinned("user1").await, world.twinned("user2").await);
    world.a.kill();
    assert_eq!(status(&http, &operator.token).await, 200);
    assert_eq!(status(&http, &guard.token).await, 200);
    is_expired(http.send(cameras(&admin.token)).await.unwrap());
    assert_eq!(token_requests(&world.b).await.len(), 2, "b was asked about an administrator");
}
