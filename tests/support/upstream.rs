//! A web server that does what its script says, byte by byte, and remembers what it was sent.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The path that health probes ask for (see `Config::http`).
pub const PROBE: &str = "/probe";

/// One request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// Request line and headers, without the blank line.
    pub head: String,
    /// The body, framing included.
    pub body: Vec<u8>,
}

/// A connection in the hands of a script. Dropping it closes it.
pub struct Link {
    pub socket: TcpStream,
    number: usize,
    unread: Vec<u8>,
    seen: Arc<Mutex<Vec<Seen>>>,
    slot: usize,
}

pub type Scripted = Pin<Box<dyn Future<Output = Option<Link>> + Send>>;
type Script = Arc<dyn Fn(Link, Seen) -> Scripted + Send + Sync>;

pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    healthy: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    cut: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or("")
    }

    /// All values of a header, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|l| l.split_once(':'));
        pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()).collect()
    }

    pub fn value(&self, name: &str) -> &str {
        self.values(name).first().copied().unwrap_or("")
    }
}

impl Upstream {
    /// Answers probes by itself and gives every other request to `script` once its head is read. The script gives
    /// the link back to keep the connection open.
    pub async fn start(script: impl Fn(Link, Seen) -> Scripted + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let healthy = Arc::new(AtomicBool::new(true));
        let connections = Arc::new(AtomicUsize::new(0));
        let script: Script = Arc::new(script);
        let (cut, be_cut) = watch::channel(());
        let task = {
            let (seen, healthy, connections) = (seen.clone(), healthy.clone(), connections.clone());
            tokio::spawn(async move {
                // Ends every connection with the server.
                let mut all = tokio::task::JoinSet::new();
                while let Ok((socket, _)) = listener.accept().await {
                    let number = connections.fetch_add(1, Ordering::SeqCst);
                    let link = Link { socket, number, unread: Vec::new(), seen: seen.clone(), slot: 0 };
                    let (serving, mut be_cut) =
                        (serve(link, script.clone(), healthy.clone()), be_cut.clone());
                    be_cut.mark_unchanged();
                    all.spawn(async move {
                        tokio::select! { _ = serving => {}, _ = be_cut.changed() => {} }
                    });
                }
            })
        };
        Self { address, seen, healthy, connections, cut, task }
    }

    /// Gives the same bytes to every request, after reading it completely.
    pub async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Arc::new(bytes.into());
        Self::start(move |mut link, _| {
            let bytes = bytes.clone();
            Box::pin(async move {
                link.read_body().await?;
                link.write(&bytes).await?;
                Some(link)
            })
        })
        .await
    }

    /// 200 with this text.
    pub async fn saying(text: &str) -> Self {
        Self::answering(ok(text)).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that were not probes.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What probes hear: 200 or 503.
    pub fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::SeqCst);
    }

    /// Closes every connection.
    pub fn cut(&self) {
        self.cut.send_replace(());
    }

    /// Closes the listener and every connection.
    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn ok(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

async fn serve(mut link: Link, script: Script, healthy: Arc<AtomicBool>) -> Option<()> {
    loop {
        let head = link.read_head().await?;
        let seen = Seen { connection: link.number, head, body: Vec::new() };
        if seen.line().split(' ').nth(1) == Some(PROBE) {
            let answer = match healthy.load(Ordering::SeqCst) {
                true => ok("fine"),
                false => b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n".to_vec(),
            };
            link.write(&answer).await?;
            continue;
        }
        {
            let mut all = link.seen.lock().unwrap();
            link.slot = all.len();
            all.push(seen.clone());
        }
        link = script(link, seen).await?;
    }
}

impl Link {
    pub async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.socket.write_all(bytes).await.ok()?;
        self.socket.flush().await.ok()
    }

    /// More bytes from the client; `None` at the end.
    pub async fn read_some(&mut self) -> Option<usize> {
        let mut part = [0; 16 * 1024];
        let n = self.socket.read(&mut part).await.ok().filter(|n| *n > 0)?;
        self.unread.extend_from_slice(&part[..n]);
        Some(n)
    }

    /// The next bytes, as they come.
    pub async fn take(&mut self) -> Option<Vec<u8>> {
        if self.unread.is_empty() {
            self.read_some().await?;
        }
        Some(std::mem::take(&mut self.unread))
    }

    /// Hands this request and its connection over to another server, and closes it afterwards.
    pub async fn relay(mut self, to: SocketAddr) -> Option<Self> {
        let head = self.seen.lock().unwrap()[self.slot].head.clone();
        let upgrade = head.lines().any(|l| l.to_ascii_lowercase().starts_with("upgrade:"));
        let lines = head.lines().filter(|l| upgrade || !l.to_ascii_lowercase().starts_with("connection:"));
        let mut request: String = lines.map(|l| format!("{l}\r\n")).collect();
        request.push_str(if upgrade { "\r\n" } else { "Connection: close\r\n\r\n" });
        let mut other = TcpStream::connect(to).await.ok()?;
        other.write_all(request.as_bytes()).await.ok()?;
        other.write_all(&std::mem::take(&mut self.unread)).await.ok()?;
        tokio::io::copy_bidirectional(&mut self.socket, &mut other).await.ok()?;
        None
    }

    async fn read_head(&mut self) -> Option<String> {
        let end = self.read_to(b"\r\n\r\n").await?;
        let head: Vec<u8> = self.unread.drain(..end).collect();
        Some(String::from_utf8_lossy(&head[..end - 4]).into_owned())
    }

    /// Reads until `mark` is there; gives the position behind it.
    async fn read_to(&mut self, mark: &[u8]) -> Option<usize> {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|w| w == mark) {
                return Some(at + mark.len());
            }
            self.read_some().await?;
        }
    }

    /// Reads the body as the head frames it, remembers it, framing included.
    pub async fn read_body(&mut self) -> Option<Vec<u8>> {
        let head = self.seen.lock().unwrap()[self.slot].clone();
        if head.value("transfer-encoding").eq_ignore_ascii_case("chunked") {
            loop {
                let end = self.read_to(b"\r\n").await?;
                let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
                let size = usize::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
                self.keep(end);
                if size == 0 {
                    break;
                }
                self.keep_exactly(size + 2).await?;
            }
            // Trailers, then the blank line.
            while self.read_to(b"\r\n").await? > 2 {
                let end = self.read_to(b"\r\n").await?;
                self.keep(end);
            }
            self.keep(2);
        } else {
            let length = head.value("content-length").parse().unwrap_or(0);
            self.keep_exactly(length).await?;
        }
        Some(self.seen.lock().unwrap()[self.slot].body.clone())
    }

    async fn keep_exactly(&mut self, mut length: usize) -> Option<()> {
        loop {
            let now = length.min(self.unread.len());
            self.keep(now);
            length -= now;
            if length == 0 {
                return Some(());
            }
            self.read_some().await?;
        }
    }

    fn keep(&mut self, end: usize) {
        let mut all = self.seen.lock().unwrap();
        all[self.slot].body.extend(self.unread.drain(..end));
    }
}
