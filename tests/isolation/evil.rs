//! The hostile instance: what a real one would answer, until it plays its trick.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::cases::Case;
use super::forge::Forger;
use crate::support::upstream::{Link, Seen, Upstream};

/// A mark that must never be seen at the honest instance.
pub const MARK: &str = "evil-mark";

/// What it answers instead.
pub enum Trick {
    /// The real answer, changed.
    Change(fn(&Loot, Vec<u8>) -> Vec<u8>),
    /// The head, then so many MiB of zeros.
    Pour(&'static str, usize),
    /// These bytes again and again, as long as somebody listens.
    Flood(&'static str),
}

/// What it knows: its victims gave it some of it, the rest is public.
pub struct Loot {
    /// Where the honest instance is.
    pub good: String,
    /// Public: the key set and the OpenID document of the honest instance.
    pub keys: serde_json::Value,
    pub openid: serde_json::Value,
    /// Stolen: a user's token and refresh token of the honest instance.
    pub token: String,
    pub refresh: String,
    /// Ids of the honest instance's cameras.
    pub cameras: Vec<String>,
    /// Its own key.
    pub forger: Forger,
    /// How often it has played, this time included.
    pub turn: AtomicUsize,
}

impl Loot {
    pub fn turns(&self) -> usize {
        self.turn.load(Ordering::SeqCst)
    }
}

pub struct Evil {
    pub upstream: Upstream,
    mask: Arc<OnceLock<SocketAddr>>,
    role: Arc<Mutex<Role>>,
}

/// What it does now.
#[derive(Clone)]
enum Role {
    Honest,
    Plays(&'static Case, Arc<Loot>),
    Dead,
}

impl Evil {
    pub async fn start() -> Self {
        let mask: Arc<OnceLock<SocketAddr>> = Arc::default();
        let role = Arc::new(Mutex::new(Role::Honest));
        let (m, r) = (mask.clone(), role.clone());
        let upstream = Upstream::start(move |link, seen| {
            let role = r.lock().unwrap().clone();
            Box::pin(answer(link, seen, role, *m.get().unwrap()))
        })
        .await;
        Self { upstream, mask, role }
    }

    /// Whose answers it passes on.
    pub fn wears(&self, mask: SocketAddr) {
        self.mask.set(mask).unwrap();
    }

    /// Answers as its mask does.
    pub fn behaves(&self) {
        *self.role.lock().unwrap() = Role::Honest;
    }

    pub fn plays(&self, case: &'static Case, loot: Arc<Loot>) {
        *self.role.lock().unwrap() = Role::Plays(case, loot);
    }

    /// Closes every connection, also new ones.
    pub fn dies(&self) {
        *self.role.lock().unwrap() = Role::Dead;
        self.upstream.cut();
    }
}

async fn answer(mut link: Link, seen: Seen, role: Role, mask: SocketAddr) -> Option<Link> {
    let path = seen.line().split(' ').nth(1).unwrap_or_default();
    let (case, loot) = match role {
        Role::Dead => return None,
        Role::Plays(case, loot) if path.contains(case.on) => (case, loot),
        Role::Honest | Role::Plays(..) => return link.relay(mask).await,
    };
    loot.turn.fetch_add(1, Ordering::SeqCst);
    match case.trick {
        Trick::Change(change) => {
            let real = real_answer(&mut link, &seen, mask).await?;
            link.write(&change(&loot, real)).await?;
        }
        Trick::Pour(head, mib) => {
            link.read_body().await?;
            link.write(head.as_bytes()).await?;
            let part = vec![b'0'; 1 << 20];
            for _ in 0..mib {
                link.write(&part).await?;
            }
        }
        Trick::Flood(bytes) => {
            link.read_body().await?;
            let part = bytes.repeat(64);
            loop {
                link.write(part.as_bytes()).await?;
            }
        }
    }
    Some(link)
}

/// What the instance behind the mask says.
async fn real_answer(link: &mut Link, seen: &Seen, mask: SocketAddr) -> Option<Vec<u8>> {
    let body = link.read_body().await?;
    let lines = seen.head.lines().filter(|l| !l.to_ascii_lowercase().starts_with("connection:"));
    let head: String = lines.map(|l| format!("{l}\r\n")).collect();
    let mut other = TcpStream::connect(mask).await.ok()?;
    other.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await.ok()?;
    other.write_all(&body).await.ok()?;
    let mut all = Vec::new();
    other.read_to_end(&mut all).await.ok()?;
    Some(all)
}
