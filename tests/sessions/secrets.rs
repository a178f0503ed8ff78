//! What a client trusts us with appears nowhere else: in no log at any level, no metric, no admin answer, no file.

use std::fs;
use std::path::Path;

use crate::support::client::{call, get};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::ws::Events;
use crate::windows::log_in_by_ntlm;
use crate::world::{TOKEN, World, cameras, log_in, login, password, patient, status};

/// Bytes of every file below a directory, by path.
fn files(dir: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_anywhere() {
    let mut world = World::launch(&[], &[], |a, b| {
        Gatekeeper::talkative(patient(a, b).table("failback", "mode = \"immediate\""))
    })
    .await;
    let http = world.gatekeeper.h1();
    let mut secrets: Vec<String> =
        ["user1-password", "user2-password", "svc1-secret", "win1-password", "CANARY-wrong"]
            .map(str::to_owned)
            .into();

    let first = world.twinned("user1").await;
    secrets.push(log_in_by_ntlm(&http, "win1").await);
    let service = "grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret";
    secrets.push(login(&http.send(call("POST", TOKEN).form(service)).await.unwrap().expect(200)).token);
    world.twins(2).await;
    let wrong = password("user3", "CANARY-wrong", "GrantValidatorClient");
    http.send(call("POST", TOKEN).form(&wrong)).await.unwrap().expect(400);
    let cookies = "CANARY-cookie=CANARY-value; other=CANARY-other";
    http.send(cameras(&first.token).header("cookie", cookies)).await.unwrap().expect(200);
    let forged = "CANARY.forged.token";
    http.send(cameras(forged)).await.unwrap().expect(401);
    http.send(get("/ManagementServer/x.svc").header("authorization", "Basic Q0FOQVJZLWJhc2lj"))
        .await
        .unwrap();
    let mut socket = Events::connect(&http, "/API/ws/events/v1", Some(&first.token)).await.expect("a socket");
    socket.subscribe().await;
    let renew = |refresh: &str| {
        call("POST", TOKEN)
            .form(&format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={refresh}"))
    };
    let second = login(&http.send(renew(first.refresh.as_ref().unwrap())).await.unwrap().expect(200));
    world.twins(3).await;
    http.send(renew("CANARY-refresh")).await.unwrap().expect(400);

    world.a.kill();
    assert_eq!(status(&http, &second.token).await, 200);
    let third = login(&http.send(renew(second.refresh.as_ref().unwrap())).await.unwrap().expect(200));
    let late = log_in(&http, "user2").await;
    drop(http.send(call("POST", "/API/rest/v1/bookmarks").bearer(&third.token).body("{}")).await.unwrap());
    let revocation = format!("client_id=VmsClient&token={}", late.refresh.as_ref().unwrap());
    http.send(call("POST", "/IDP/connect/revocation").form(&revocation)).await.unwrap().expect(200);
    for login in [first, second, third, late] {
        secrets.push(login.token.rsplit('.').next().unwrap().to_owned());
        secrets.extend([Some(login.token), login.refresh, login.cookie].into_iter().flatten());
    }
    secrets.extend(
        ["CANARY-value", "CANARY-other", forged, "Q0FOQVJZLWJhc2lj", "CANARY-refresh"].map(str::to_owned),
    );
    let admin_token = world.gatekeeper.token();

    let gatekeeper = &world.gatekeeper;
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for path in ["/v1/status", "/metrics"] {
        let reply = gatekeeper.admin().send(get(path).bearer(&admin_token)).await.unwrap().expect(200);
        all.push((format!("the admin's {path}"), reply.body.to_vec()));
    }
    all.push(("metrics".into(), gatekeeper.open("/metrics").await.body.to_vec()));
    for command in [&["status"][..], &["status", "--json"], &["sessions"], &["sessions", "--json"]] {
        all.push((format!("{command:?}"), gatekeeper.succeed(command).into_bytes()));
    }
    gatekeeper.process.signal("TERM");
    world.gatekeeper.process.exit(crate::support::PATIENCE);
    let gatekeeper = &world.gatekeeper;
    all.push(("stderr".into(), gatekeeper.process.log().into_bytes()));
    all.push(("stdout".into(), gatekeeper.process.printed().into_bytes()));
    files(gatekeeper.dir.path(), &mut all);
    assert!(all.iter().any(|(name, _)| name.contains("/state/")), "the state was looked at");
    assert!(gatekeeper.process.log().contains("TRACE"), "everything was logged");

    for (place, bytes) in &all {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{secret} stands in {place}");
        }
        if !place.ends_with("admin.token") {
            assert!(!holds(bytes, &admin_token), "the admin token stands in {place}");
        }
    }
}
