//! One hostile and one honest instance, the gatekeeper before them, and their users.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::browser::{Browser, Ledger};
use super::evil::{Evil, Loot};
use super::forge::{Forger, Seal};
use super::witness;
use crate::support::client::{get, login};
use crate::support::config::{Config, Instance};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;

/// What the gatekeeper may grow by, in KiB: buffers of a few connections, and what an allocator keeps.
const GROWTH: u64 = 96 * 1024;

/// The two instances: started once for many cases, because their keys take time.
pub struct Stage {
    good: Sim,
    _mask: Sim,
    evil: Evil,
}

impl Stage {
    pub async fn new() -> Self {
        let evil = Evil::start().await;
        let good = Sim::plain("good", &[]);
        // Without the honest user, so that no twin leads that one to evil.
        let mask = Sim::plain("mask", &["--public-url", &evil.upstream.url(), "--users", "2"]);
        evil.wears(mask.address());
        Self { good, _mask: mask, evil }
    }
}

/// One play.
pub struct World<'s> {
    pub good: &'s Sim,
    pub evil: &'s Evil,
    pub loot: Arc<Loot>,
    pub gatekeeper: Gatekeeper,
    /// At home at `good`.
    pub honest: Browser,
    /// At home at `evil`.
    pub victim: Browser,
    pub ledger: Ledger,
    /// What the honest user got before.
    cameras: String,
    /// Requests that were at `good` and at `evil` before.
    earlier: (u64, usize),
}

impl<'s> World<'s> {
    pub async fn new(Stage { good, evil, .. }: &'s Stage) -> Self {
        evil.behaves();
        let document = async |path: &str| good.http().send(get(path)).await.unwrap().expect(200).json();
        let admin = login(&good.http()).await;
        let cameras =
            good.http().send(get("/API/rest/v1/cameras").bearer(&admin)).await.unwrap().expect(200).json();
        let keys = document("/IDP/.well-known/openid-configuration/jwks").await;
        let openid = document("/IDP/.well-known/openid-configuration").await;
        let last = good.requests().await.last().unwrap()["n"].as_u64().unwrap();
        let earlier = (last, evil.upstream.seen().len());

        let mut config = Config::twinned(&[good, good]);
        config.instances[0] = Instance::new("evil", &evil.upstream.url());
        config.sites[0].primary = "evil".into();
        let config = config
            .table("upstream", "response_timeout = \"2s\"")
            .table("health", "interval = \"500ms\"\ntimeout = \"500ms\"\nrise = 2\nfall = 3");
        let gatekeeper = Gatekeeper::ready(config).await;
        for (instance, service) in
            [("good", "identity"), ("good", "config"), ("evil", "identity"), ("evil", "config")]
        {
            gatekeeper.wait_up(instance, service, true).await;
        }
        let ledger = Ledger::default();
        gatekeeper.succeed(&["drain", "evil", "--reason", "somebody has to log in at good"]);
        let mut honest = Browser::new("user3", gatekeeper.h1(), &ledger);
        honest.log_in().await.unwrap().expect(200);
        gatekeeper.succeed(&["release", "evil", "--reason", "done"]);
        gatekeeper.succeed(&["failback", "--reason", "done"]);
        let mut victim = Browser::new("user1", gatekeeper.h1(), &ledger);
        victim.log_in().await.unwrap().expect(200);
        let loot = Arc::new(Loot {
            good: good.url(),
            keys,
            openid,
            token: honest.token.clone(),
            refresh: honest.refresh.clone(),
            cameras: cameras["array"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["id"].as_str().unwrap().to_owned())
                .collect(),
            forger: Forger::new(),
            turn: AtomicUsize::new(0),
        });
        let cameras = honest.ask("/API/rest/v1/cameras").await.unwrap().expect(200).text().to_owned();
        Self { good, evil, loot, gatekeeper, honest, victim, ledger, cameras, earlier }
    }

    /// Resident memory of the gatekeeper, in KiB.
    pub fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.gatekeeper.process.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Everything that is wrong after the trick.
    pub async fn aftermath(&mut self, memory: u64) -> Vec<String> {
        let mut wrong = Vec::new();
        let grown = self.memory().saturating_sub(memory);
        if grown > GROWTH {
            wrong.push(format!("the gatekeeper has grown by {grown} KiB"));
        }
        self.honest_is_served("after the trick", &mut wrong).await;
        let _ = self.victim.ask("/API/rest/v1/hardware").await;
        // What evil has sown may come up when its users move.
        self.evil.dies();
        self.gatekeeper.wait_serving("config", "good").await;
        self.gatekeeper.wait_serving("identity", "good").await;
        for path in ["/API/rest/v1/cameras", "/API/rest/v1/sites"] {
            match self.victim.ask(path).await {
                Ok(reply) if [200, 401, 404, 503].contains(&reply.status) => {}
                Ok(reply) => wrong.push(format!("a user of evil is told {} after the switch", reply.status)),
                Err(e) => wrong.push(format!("a user of evil is not answered after the switch: {e}")),
            }
        }
        let _ = self.victim.renew().await;
        match self.victim.log_in().await {
            Ok(reply) if reply.status == 200 => {}
            other => wrong.push(format!("a user of evil cannot log in again: {other:?}")),
        }
        self.honest_is_served("after the switch", &mut wrong).await;
        match self.honest.renew().await {
            Ok(reply) if reply.status == 200 => {}
            other => wrong.push(format!(
                "the honest user cannot renew: {:?}",
                other.map(|r| (r.status, r.text().to_owned()))
            )),
        }
        let mut log = self.good.requests().await;
        log.retain(|entry| entry["n"].as_u64().unwrap() > self.earlier.0);
        wrong.extend(witness::hear(&log, &self.ledger.lock().unwrap()));
        let secret = self.loot.token.rsplit('.').next().unwrap();
        for seen in &self.evil.upstream.seen()[self.earlier.1..] {
            if seen.head.contains(secret) || seen.head.contains("who=user3") {
                wrong.push(format!("evil was shown what is another's:\n{}", seen.head));
            }
            if String::from_utf8_lossy(&seen.body).contains(&self.loot.refresh) {
                wrong.push("evil was shown another's refresh token".into());
            }
        }
        wrong
    }

    async fn honest_is_served(&mut self, when: &str, wrong: &mut Vec<String>) {
        for _ in 0..4 {
            match self.honest.ask("/API/rest/v1/cameras").await {
                Ok(reply) if reply.status == 200 && reply.text() == self.cameras => {}
                Ok(reply) => wrong.push(format!(
                    "{when} the honest user got {} {:?} {}",
                    reply.status,
                    reply.headers,
                    reply.text().chars().take(300).collect::<String>()
                )),
                Err(e) => wrong.push(format!("{when} the honest user got {e}")),
            }
        }
    }

    /// Makes the gatekeeper read evil's documents again: an unknown token does.
    pub async fn reread(&self) {
        let turns = self.loot.turns();
        let unknown = self.loot.forger.mint(&self.victim.token, ("unknown", Some("nobody")), Seal::Own);
        until("evil was asked for its documents", async || {
            let _ = self.gatekeeper.h1().send(get("/API/rest/v1/sites?who=nobody").bearer(&unknown)).await;
            self.loot.turns() > turns
        })
        .await;
    }
}
