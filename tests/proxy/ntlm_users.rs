//! NTLM on one client connection that is one user after the other.

use crate::failover::xprotect_pair;
use crate::ntlm::{pair, pinned, user};
use crate::support::client::{call, get};
use crate::support::ntlm::{Client, message};
use crate::support::until;

/// Who logs in anew is no longer who it was, wherever it was that: two instances would otherwise know the client by two
/// names.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_ends_the_last_one_at_the_other_instance() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut client = user(&http, "ann").await;
    gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    gatekeeper.wait_serving("http", "b").await;
    let nonce = client.begin(get("/bob")).await.unwrap();
    assert_eq!(client.finish(get("/bob"), &nonce, "bob").await.unwrap().expect(200).text(), "bob");
    assert_eq!(b.connections("/bob").len(), 2);
    gatekeeper.succeed(&["release", "a", "--reason", "test"]);
    b.upstream.stop();
    gatekeeper.wait_serving("http", "a").await;
    assert_eq!(client.send(get("/public")).await.unwrap().expect(200).text(), "anonymous");
    client.send(get("/mine")).await.unwrap().expect(401);
    assert!(!a.connections("/mine").contains(&a.connections("/login")[0]));
    until("only the connections in use are pinned", async || pinned(&gatekeeper).await == 1.0).await;
}

/// A frozen instance is one that has died, only slower to tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_with_a_frozen_instance_begins_elsewhere() {
    let (a, _b, gatekeeper) = xprotect_pair().await;
    let http = gatekeeper.h1();
    let ask =
        || call("POST", "/IDP/connect/token").form("grant_type=windows_credentials&client_id=VmsClient");
    let first = || ask().header("authorization", TYPE_1);
    let mut half = Client::connect(&http).await.unwrap();
    assert!(
        half.send(first()).await.unwrap().expect(401).header("www-authenticate").starts_with("NTLM TlRM")
    );
    a.fault("all", "hang").await;
    let (lost, begun) =
        tokio::join!(half.send(ask().header("authorization", &message(3, ""))), http.send(first()));
    // No answer: the client begins anew. A 504 would be the end of its login.
    assert!(lost.is_err(), "{lost:?}");
    assert!(begun.unwrap().expect(401).header("www-authenticate").starts_with("NTLM TlRM"));
}

/// What a client says first.
const TYPE_1: &str = "NTLM TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=";
