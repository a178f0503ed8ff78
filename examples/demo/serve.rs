//! Without a scenario: serve, and say what to try.

use std::time::Duration;

use anyhow::bail;

use super::args::{Args, Profile};
use super::stage::{Place, Stage};

/// Serves until somebody ends the demo.
pub async fn run(args: &Args, place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::start(place.below("serve")?, args, "10s").await?;
    let text = welcome(&mut stage, args.profile)?;
    println!("{text}");
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if stage.gatekeeper.has_ended() {
            bail!("the gatekeeper has ended; its log was in {}", stage.dir.display());
        }
        for instance in [&mut stage.primary, &mut stage.standby] {
            if instance.process()?.has_ended() {
                println!("instance {} has died; it starts again in {} s", instance.name, AWAY.as_secs());
                tokio::time::sleep(AWAY).await;
                instance.run().await?;
                let (name, pid) = (instance.name, instance.process()?.pid());
                println!("instance {name} runs again, pid {pid}");
            }
        }
    }
}

fn welcome(stage: &mut Stage, profile: Profile) -> anyhow::Result<String> {
    let (a, b) = (stage.primary.process()?.pid(), stage.standby.process()?.pid());
    let (url_a, url_b) = (stage.primary.url(), stage.standby.url());
    let (front, admin) = (stage.listener.port(), stage.admin);
    let (ca, dir) = (stage.clients_ca.display(), stage.dir.display());
    let ask = match profile {
        Profile::Xprotect => format!(
            r#"ask() {{
  TOKEN=$(curl -sS --cacert {ca} https://localhost:{front}/API/IDP/connect/token \
    -d grant_type=password -d client_id=GrantValidatorClient -d username=user1 -d password=user1-password |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -sS --cacert {ca} -H "Authorization: Bearer $TOKEN" \
    "https://localhost:{front}/API/rest/v1/cameras?page=0&size=1"; echo
}}; ask"#
        ),
        Profile::Http => format!(
            "ask() {{ curl -sS --cacert {ca} https://localhost:{front}/API/.well-known/uris; echo; }}; ask"
        ),
    };
    let what = match profile {
        Profile::Xprotect => "Log in and list cameras:",
        Profile::Http => "Ask for a document that says which instance answered:",
    };
    Ok(format!(
        r#"
Gatekeeper   https://localhost:{front}   admin http://{admin}
instance a   {url_a}   pid {a} (primary)
instance b   {url_b}   pid {b} (standby)
User         user1, password user1-password (on both instances)
Files, logs  {dir}

Three things to try in another terminal:

1. {what}
{ask}

2. Kill the primary and ask again at once; it starts again by itself {away} s later:
kill -9 {a}; ask

3. See who serves what, and why (the first time, cargo builds the program):
cargo run -q --release -- status --admin http://{admin} --token-file {dir}/state/admin.token

Ctrl-C ends everything."#,
        away = AWAY.as_secs(),
    ))
}

/// Long enough to look around while the standby serves.
const AWAY: Duration = Duration::from_secs(15);
