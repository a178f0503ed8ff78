//! One id space: what a client remembers of one instance is good on the other.

use std::collections::BTreeSet;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

use crate::support::client::{Call, Http, call, get, login};
use crate::support::sim::Sim;
use crate::support::ws::{Ended, Events};
use crate::world::{World, log_in};

const ALL: &str = "/API/rest/v1/cameras?page=0&size=9";

/// Two instances that the matcher has compared.
async fn matched(site: &str) -> World {
    let world = World::with(&[], |config| config.with_accounts().in_site(site)).await;
    world.gatekeeper.wait_matched().await;
    world
}

/// Ids of the cameras in a list, in its order.
fn ids(list: &Value) -> Vec<String> {
    list["array"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

async fn list(http: &Http, token: &str) -> Value {
    http.send(get(ALL).bearer(token)).await.unwrap().expect(200).json()
}

async fn own(sim: &Sim) -> Vec<String> {
    ids(&list(&sim.http(), &login(&sim.http()).await).await)
}

fn bookmark(token: &str, camera: &str) -> Call {
    let body = json!({"devicePath": {"type": "cameras", "id": camera}, "header": "x"});
    call("POST", "/API/rest/v1/bookmarks").bearer(token).json(&body)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_remembers_of_one_instance_is_good_on_the_other() {
    let mut world = matched("").await;
    let (h1, h2) = (world.gatekeeper.h1(), world.gatekeeper.h2());
    let (on_a, on_b) = (own(&world.a).await, own(&world.b).await);
    assert_eq!((on_a.len(), on_b.len()), (4, 4));
    let token = world.twinned("user1").await.token;
    assert_eq!(ids(&list(&h1, &token).await), on_a);
    world.a.kill();

    // An answer.
    let compressed = get(ALL).bearer(&token).header("accept-encoding", "gzip").header("range", "bytes=5-");
    let reply = h2.send(compressed).await.unwrap().expect(200);
    assert_eq!(ids(&reply.json()), on_a, "canonical, in b's order");
    assert!(!on_b.iter().any(|id| reply.text().contains(id)), "{}", reply.text());
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());

    // A path, in any case; a query, its quotes escaped; a body, cut anywhere.
    let pairs: Vec<(String, String)> = on_a.iter().cloned().zip(own(&world.b).await).collect();
    for (camera, _) in &pairs {
        for (http, id) in [(&h1, camera.clone()), (&h2, camera.to_uppercase())] {
            let one = get(&format!("/API/rest/v1/cameras/{id}")).bearer(&token);
            assert_eq!(http.send(one).await.unwrap().expect(200).json()["data"]["id"], **camera);
        }
        let filter = get(&format!("/API/rest/v1/cameras?id=%27{camera}%27")).bearer(&token);
        assert_eq!(ids(&h1.send(filter).await.unwrap().expect(200).json()), std::slice::from_ref(camera));
    }
    for (n, (camera, native)) in pairs.iter().enumerate() {
        let call = bookmark(&token, camera);
        let reply = if n == 0 {
            h1.send(call).await.unwrap()
        } else {
            let parts: Vec<io::Result<Frame<Bytes>>> =
                call.body.chunks(n * 5).map(|part| Ok(Frame::data(Bytes::copy_from_slice(part)))).collect();
            let body = StreamBody::new(stream::iter(parts)).boxed();
            let response = h1.connect().await.unwrap().stream(&h1.host, call, body).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            crate::support::client::Reply { status: parts.status.as_u16(), headers: parts.headers, body }
        };
        let reply = reply.expect(201);
        assert!(!reply.text().contains(native), "{}", reply.text());
        let written = world.b.writes().await;
        assert_eq!(written.last().unwrap()["body"]["devicePath"]["id"], **native);
    }

    // What b was asked.
    let asked = world.b.requests().await;
    let through_us =
        asked.iter().filter_map(|r| r["head"].as_str()).filter(|head| head.contains("x-forwarded-for"));
    let heads: BTreeSet<String> = through_us.map(str::to_lowercase).collect();
    assert!(!heads.iter().any(|head| on_a.iter().any(|id| head.contains(id))), "b was asked for an id of a");
    let compressed = heads.iter().find(|head| head.contains("size=9")).unwrap();
    assert!(
        compressed.contains("accept-encoding: identity") && !compressed.contains("range:"),
        "{compressed}"
    );
    // Storages are nobody's partners.
    let unknown = world.gatekeeper.metric("gatekeeper_ids_without_partner_total", &[("site", "hq")]).await;
    assert!(unknown > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn native_ids_stay_what_they_are() {
    let mut world = matched("ids = \"native\"").await;
    let http = world.gatekeeper.h1();
    let (on_a, on_b) = (own(&world.a).await, own(&world.b).await);
    world.a.kill();
    world.gatekeeper.wait_serving("identity", "b").await;
    world.gatekeeper.wait_serving("config", "b").await;
    let token = log_in(&http, "user1").await.token;
    assert_eq!(ids(&list(&http, &token).await), on_b);
    let one = |id: &str| get(&format!("/API/rest/v1/cameras/{id}")).bearer(&token);
    http.send(one(&on_a[0])).await.unwrap().expect(404);
    http.send(one(&on_b[0])).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_speaks_of_cameras_as_its_client_knows_them() {
    let mut world = matched("").await;
    let http = world.gatekeeper.h1();
    let (on_a, on_b) = (own(&world.a).await, own(&world.b).await);
    let token = world.twinned("user1").await.token;
    let path = "/API/ws/events/v1";
    let mut socket = Events::connect(&http, path, Some(&token)).await.unwrap();
    socket.subscribe().await;
    world.a.kill();
    assert_eq!(socket.end().await, Ended::Closed(1012), "it has frames of ours");

    // The token in the head and in a message.
    for head in [Some(token.as_str()), None] {
        let mut socket = Events::connect(&http, path, head).await.unwrap();
        if head.is_none() {
            let bearer = format!("Bearer {token}");
            let command = json!({"command": "authenticate", "commandId": 0, "token": bearer});
            assert_eq!(socket.command(command).await["status"], 200);
        }
        let start = json!({"command": "startSession", "commandId": 1, "sessionId": "", "eventId": ""});
        assert_eq!(socket.command(start).await["status"], 201);
        let sources = [on_a[0].to_uppercase(), on_a[1].clone()];
        let filters = json!([{"modifier": "include", "resourceTypes": ["cameras"], "sourceIds": sources, "eventTypes": ["*"]}]);
        let subscribe = json!({"command": "addSubscription", "commandId": 2, "filters": filters}).to_string();
        // In frames that end inside an id.
        socket.send_in_frames(&subscribe, 17).await;
        assert_eq!(socket.next().await.unwrap()["status"], 200);
        for camera in 0..4 {
            let motion = "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77";
            world.b.emit(&json!({"physical": camera, "camera": camera, "type": motion})).await;
        }
        let mut seen = BTreeSet::new();
        while seen.len() < 2 {
            for event in socket.events().await {
                let source = event["source"].as_str().unwrap().to_owned();
                assert!(on_a[..2].iter().any(|id| source == format!("cameras/{id}")), "{event}");
                assert!(!on_b.iter().any(|id| event.to_string().contains(id)), "{event}");
                seen.insert(source);
            }
        }
    }
}
