//! Where a camera's streams are (D19): for whoever may see the camera, with the addresses of the recorders.

use serde_json::{Value, json};

use crate::support::client::{Http, get, login, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;

async fn cameras(http: &Http, token: &str) -> Vec<Value> {
    let list = http.send(get("/API/rest/v1/cameras").bearer(token)).await.unwrap().expect(200).json();
    list["array"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_a_camera_learns_where_its_streams_are() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).with_accounts()).await;
    for instance in ["a", "b"] {
        gatekeeper.wait_up(instance, "config", true).await;
    }
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let camera = cameras(&http, &token).await.remove(0);
    let id = camera["id"].as_str().unwrap();
    let path = format!("/gatekeeper/v1/streams/{id}");
    let answer = http.send(get(&path).bearer(&token)).await.unwrap().expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let told = answer.json();
    let here = told["data"]["instances"].as_array().unwrap().iter().find(|i| i["instance"] == "a").unwrap();
    assert_eq!(
        (&here["id"], &here["health"], &here["serving"]),
        (&json!(id.to_lowercase()), &json!("up"), &json!(true))
    );
    let server = http.send(get("/API/rest/v1/recordingServers").bearer(&token)).await.unwrap().json();
    let known = server["array"].as_array().unwrap();
    for key in ["hostName", "portNumber", "webServerUri"] {
        assert!(known.iter().any(|s| s[key] == here["recorder"][key]), "{key} of {here}");
    }
    // Asked again, the recorder is known.
    let before = a.requests_with("/recordingServers/").await;
    http.send(
        get(&path.to_uppercase().replace("/GATEKEEPER/V1/STREAMS", "/gatekeeper/v1/streams")).bearer(&token),
    )
    .await
    .unwrap()
    .expect(200);
    assert_eq!(a.requests_with("/recordingServers/").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_decides_who_may() {
    let a = Sim::start("a", &[]);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a])).await;
    let http = gatekeeper.h1();
    let admin = login(&http).await;
    let guard = http.send(password_grant("user2", "user2-password")).await.unwrap().expect(200).json();
    let guard = guard["access_token"].as_str().unwrap();
    let (all, some) = (cameras(&http, &admin).await, cameras(&http, guard).await);
    let hidden = all.iter().find(|c| !some.iter().any(|s| s["id"] == c["id"])).unwrap();
    let streams = |id: &str| get(&format!("/gatekeeper/v1/streams/{id}"));
    let hidden = hidden["id"].as_str().unwrap();
    let direct = http.send(get(&format!("/API/rest/v1/cameras/{hidden}")).bearer(guard)).await.unwrap();
    let refused = http.send(streams(hidden).bearer(guard)).await.unwrap().expect(direct.status);
    assert_eq!(refused.json(), direct.json(), "in the words of the VMS");
    // Without an account there is no address, but all the rest.
    let told =
        http.send(streams(some[0]["id"].as_str().unwrap()).bearer(guard)).await.unwrap().expect(200).json();
    assert_eq!(told["data"]["instances"][0]["recorder"], Value::Null, "{told}");
    http.send(streams(hidden)).await.unwrap().expect(401);
    http.send(streams(hidden).bearer("no.such.token")).await.unwrap().expect(401);
    http.send(streams("00000000-0000-4000-8000-000000000000").bearer(&admin)).await.unwrap().expect(404);
    for nothing in ["no-guid", "1/2", ""] {
        let refused = http.send(streams(nothing).bearer(&admin)).await.unwrap().expect(404);
        assert!(!refused.header("gatekeeper-reason").is_empty(), "{nothing}");
    }
    assert_eq!(a.requests_with("gatekeeper/v1").await, 0);
}
