//! A web server that binds the user to the connection as IIS does, and its client. The contents of the messages are made
//! up: type 1 says nothing, type 2 a nonce that only this connection knows, type 3 that nonce and a user.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Call, Conn, Http, Reply, Result};
use super::upstream::{Link, Seen, Upstream};

/// A message as it stands in a header: scheme, signature, type, contents.
pub fn message(kind: u8, contents: &str) -> String {
    let bytes = [b"NTLMSSP\0", &[kind, 0, 0, 0][..], contents.as_bytes()].concat();
    format!("NTLM {}", STANDARD.encode(bytes))
}

/// Type and contents of a message.
pub fn read(header: &str) -> Option<(u8, String)> {
    let bytes = STANDARD.decode(header.split_once(' ')?.1).ok()?;
    let rest = bytes.strip_prefix(b"NTLMSSP\0")?;
    Some((*rest.first()?, String::from_utf8_lossy(rest.get(4..)?).into_owned()))
}

/// Who a connection is.
#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Anonymous,
    Challenged(String),
    User(String),
}

pub struct Iis {
    pub upstream: Upstream,
    /// Messages that came on a connection which had not asked for them.
    pub misplaced: Arc<AtomicUsize>,
}

impl Iis {
    /// `/public` is for everybody; everything else answers with the name of the user. `/early` challenges
    /// before it reads the body, `/hang` never answers.
    pub async fn start(name: &'static str) -> Self {
        let misplaced = Arc::new(AtomicUsize::new(0));
        let states: Arc<Mutex<HashMap<usize, State>>> = Arc::default();
        let (count, nonces) = (misplaced.clone(), Arc::new(AtomicUsize::new(0)));
        let upstream = Upstream::start(move |link, seen| {
            let nonce = format!("{name}-{}", nonces.fetch_add(1, Ordering::SeqCst));
            Box::pin(answer(nonce, link, seen, states.clone(), count.clone()))
        })
        .await;
        Self { upstream, misplaced }
    }

    pub fn url(&self) -> String {
        self.upstream.url()
    }

    /// The connections that requests with this in their first line came on.
    pub fn connections(&self, needle: &str) -> Vec<usize> {
        self.upstream.seen().iter().filter(|s| s.line().contains(needle)).map(|s| s.connection).collect()
    }
}

async fn answer(
    fresh: String,
    mut link: Link,
    seen: Seen,
    states: Arc<Mutex<HashMap<usize, State>>>,
    misplaced: Arc<AtomicUsize>,
) -> Option<Link> {
    if seen.line().contains("/early") {
        link.write(&challenged("Negotiate\r\nWWW-Authenticate: NTLM")).await?;
        link.read_body().await?;
        return Some(link);
    }
    link.read_body().await?;
    if seen.line().contains("/hang") {
        std::future::pending().await
    }
    let message = read(seen.value("authorization"));
    let reply = {
        let mut states = states.lock().unwrap();
        let state = states.entry(seen.connection).or_default();
        match (message, state.clone()) {
            (Some((1, _)), _) => {
                *state = State::Challenged(fresh.clone());
                challenged(&self::message(2, &fresh))
            }
            (Some((3, contents)), State::Challenged(nonce))
                if contents.split_once(' ').is_some_and(|(n, _)| n == nonce) =>
            {
                let user = contents[nonce.len() + 1..].to_owned();
                *state = State::User(user.clone());
                named(&user)
            }
            (Some(_), _) => {
                misplaced.fetch_add(1, Ordering::SeqCst);
                challenged("NTLM")
            }
            (None, State::User(user)) => named(&user),
            (None, State::Anonymous | State::Challenged(_)) if seen.line().contains("/public") => {
                named("anonymous")
            }
            (None, _) => challenged("Negotiate\r\nWWW-Authenticate: NTLM"),
        }
    };
    let head_only = seen.line().starts_with("HEAD");
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    link.write(if head_only { &reply[..end] } else { &reply }).await?;
    Some(link)
}

fn challenged(challenge: &str) -> Vec<u8> {
    format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 6\r\n\r\nlog in")
        .into_bytes()
}

/// Chunked: hyper knows the end of such an answer only when it has read it.
fn named(user: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{user}\r\n0\r\n\r\n", user.len())
        .into_bytes()
}

/// One client connection and its user.
pub struct Client {
    conn: Conn,
    host: String,
}

impl Client {
    pub async fn connect(http: &Http) -> Result<Self> {
        Ok(Self { conn: http.connect().await?, host: http.host.clone() })
    }

    /// The bare connection.
    pub fn into_conn(self) -> Conn {
        self.conn
    }

    /// A request as it is.
    pub async fn send(&mut self, call: Call) -> Result<Reply> {
        self.conn.send(&self.host, call).await
    }

    /// The first leg: gives the nonce to be repeated.
    pub async fn begin(&mut self, call: Call) -> Result<String> {
        let reply = self.send(call.header("authorization", &message(1, ""))).await?;
        let challenge = reply.header("www-authenticate");
        match read(challenge) {
            Some((2, nonce)) if reply.status == 401 => Ok(nonce),
            _ => Err(format!("no challenge but {} {challenge:?} {}", reply.status, reply.text()).into()),
        }
    }

    /// The second leg.
    pub async fn finish(&mut self, call: Call, nonce: &str, user: &str) -> Result<Reply> {
        self.send(call.header("authorization", &message(3, &format!("{nonce} {user}")))).await
    }
}
