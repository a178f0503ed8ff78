//! `ids = "native"` (D19): nothing is translated, nobody has a twin, and a switch is a clean 401.

use crate::support::client::{get, login};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;

#[tokio::test(flavor = "multi_thread")]
async fn a_native_site_has_no_twins_and_says_so_at_the_switch() {
    let (mut a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::twinned(&[&a, &b]).in_site("ids = \"native\"")).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let sessions: serde_json::Value =
        serde_json::from_str(&gatekeeper.succeed(&["sessions", "--json"])).unwrap();
    assert_eq!(sessions["counts"][0]["twin"], "setting", "{sessions}");
    assert_eq!(b.requests_with("/connect/token").await, 0, "no password has gone to the other");
    let sites = || get("/API/rest/v1/sites").bearer(&token);
    let own = http.send(sites()).await.unwrap().expect(200);
    a.kill();
    gatekeeper.wait_serving("config", "b").await;
    gatekeeper.wait_serving("identity", "b").await;
    let told = http.send(sites()).await.unwrap().expect(401);
    assert!(told.text().contains("token is expired"), "{}", told.text());
    let token = login(&http).await;
    let other = http.send(get("/API/rest/v1/sites").bearer(&token)).await.unwrap().expect(200);
    let id = |reply: &crate::support::client::Reply| reply.json()["array"][0]["id"].clone();
    assert_ne!(id(&own), id(&other), "ids are the instance's own");
}
