//! One request: note it, let it suffer, answer it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use ::http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};

use super::arrivals::{Arrival, latin1, sha256};
use super::pages;
use super::plain::Heads;
use super::wire::Connection;
use crate::faults::{ConfigFault, FaultBoard, History, Mode};
use crate::identity::{Http11Required, WindowsSession};
use crate::instance::Instance;
use crate::service::Service;
use crate::socket;

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// A fault wants the connection to end.
    #[error("the connection ends without an answer, because of a fault")]
    Fault,
    /// The stream is reset, and the client tries again over HTTP/1.1.
    #[error("Windows authentication needs HTTP/1.1")]
    Http11Required(#[source] h2::Error),
}

/// What the requests of one connection share. The connection itself is held weakly: a request that hangs
/// must not keep a dead socket open.
pub struct Context {
    /// The instance.
    pub instance: Arc<Instance>,
    /// Number of the connection.
    pub id: u64,
    /// The connection.
    pub connection: Weak<Connection>,
    /// The raw heads, on HTTP/1.
    pub heads: Option<Heads>,
    /// Who the connection belongs to.
    pub windows: WindowsSession,
    /// Requests so far.
    pub count: AtomicU64,
}

/// Request size limit of IIS (protocol sheet 8.27).
const LARGEST_BODY: usize = 30_000_000;

/// Answers one request.
///
/// # Errors
/// When a fault wants the connection to end instead, or the answer is a reset of the stream.
pub async fn answer(
    context: Arc<Context>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let mut arrival = context.arrival(&request);
    let service = Service::of_path(request.uri().path());
    let upgrade = socket::wants_upgrade(&request).then(|| hyper::upgrade::on(&mut request));
    let (mut head, body) = request.into_parts();
    head.extensions.insert(context.windows.clone());
    let old = head.version <= Version::HTTP_11;
    let body = read(body).await;
    if let Ok(body) = &body {
        arrival.body = Some((body.len(), sha256(body)));
    }
    let faults = &context.instance.faults;
    // Before the record: who sees the request there may rely on what a fault does to it from then on.
    let before = faults.history(service);
    let number = context.instance.arrivals.push(arrival);
    let mut response = match suffer(faults, service, before).await {
        Fate::Serve => match body {
            Ok(body) => {
                let changes =
                    matches!(head.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
                if service == Some(Service::Events) && upgrade.is_some() {
                    context.instance.gateway.up().await;
                }
                let response = serve(&context, Request::from_parts(head, body), upgrade, before);
                let lost = changes && service == Some(Service::Config) && response.status().is_success();
                if lost && faults.config().contains(&ConfigFault::LostAnswer) {
                    context.cut();
                    return Err(NoAnswer::Fault);
                }
                response
            }
            Err(Unread::TooLarge) => closing(pages::too_large()),
            Err(Unread::Broken) => return Err(NoAnswer::Fault),
        },
        Fate::Page503 => closing(pages::unavailable()),
        Fate::WrongBody => pages::wrong_body(service),
        Fate::Close => return Err(NoAnswer::Fault),
        Fate::Reset => {
            context.cut();
            return Err(NoAnswer::Fault);
        }
    };
    if response.extensions().get::<Http11Required>().is_some() {
        return Err(NoAnswer::Http11Required(h2::Reason::HTTP_1_1_REQUIRED.into()));
    }
    if !old {
        // HTTP/2 knows no such header.
        response.headers_mut().remove(header::CONNECTION);
    }
    context.instance.arrivals.answered(number, response.status().as_u16(), response.body());
    Ok(response.map(Full::new))
}

/// Why there is no body.
enum Unread {
    TooLarge,
    Broken,
}

/// The whole body. One that says that it is too large is not read at all.
async fn read(body: Incoming) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(Unread::TooLarge);
    }
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}

fn serve(
    context: &Context,
    request: Request<Bytes>,
    upgrade: Option<hyper::upgrade::OnUpgrade>,
    before: History,
) -> Response<Bytes> {
    if !socket::is_socket_path(request.uri().path()) {
        return context.instance.api.handle(request);
    }
    let origin = socket::Origin { connection: Weak::clone(&context.connection), before };
    let response = socket::upgrade(&context.instance, &request, upgrade, origin);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS
        && let Some(heads) = &context.heads
    {
        heads.lock().stop();
    }
    response
}

fn closing(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What becomes of a request.
enum Fate {
    Serve,
    Page503,
    WrongBody,
    Close,
    Reset,
}

/// Waits as long as the faults want, and looks again whenever they change: a request that hung once is
/// never answered, also not after the fault was lifted.
async fn suffer(faults: &FaultBoard, service: Option<Service>, before: History) -> Fate {
    let mut changes = faults.subscribe();
    let start = Instant::now();
    let mut hung = false;
    loop {
        changes.mark_unchanged();
        let (current, history) = (faults.current(service), faults.history(service));
        let left = match current {
            _ if history.resets > before.resets => return Fate::Reset,
            Some(Mode::Reset) => return Fate::Reset,
            Some(Mode::Hang) => {
                hung = true;
                None
            }
            _ if hung || history.hangs > before.hangs => return Fate::Close,
            Some(Mode::Stop | Mode::Page503) => return Fate::Page503,
            Some(Mode::WrongBody) => return Fate::WrongBody,
            Some(Mode::Slow(wait)) => Some(wait.saturating_sub(start.elapsed())),
            // In a black hole the answer waits in the connection's gate.
            Some(Mode::Blackhole) | None => return Fate::Serve,
        };
        let patience = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = patience => return Fate::Serve,
            changed = changes.changed() => if changed.is_err() {
                return Fate::Close;
            },
        }
    }
}

impl Context {
    fn cut(&self) {
        if let Some(connection) = self.connection.upgrade() {
            connection.cut();
        }
    }

    fn arrival(&self, request: &Request<Incoming>) -> Arrival {
        let raw = self.heads.as_ref().and_then(|heads| heads.lock().take());
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        Arrival {
            connection: self.id,
            request: self.count.fetch_add(1, Ordering::Relaxed) + 1,
            protocol: format!("{:?}", request.version()),
            method: request.method().to_string(),
            raw: raw.is_some(),
            head: raw.map_or_else(|| synthetic_head(request, &path), |head| latin1(&head)),
            path,
            refused: false,
            body: None,
        }
    }

    /// Notes heads that hyper never handed out: it refused them, or the connection ended before.
    pub fn note_refused(&self) {
        let Some(heads) = &self.heads else { return };
        let mut left: Vec<Vec<u8>> = Vec::new();
        {
            let mut heads = heads.lock();
            while let Some(head) = heads.take() {
                left.push(head);
            }
            left.extend(heads.take_partial());
        }
        for head in left {
            self.instance.arrivals.push(Arrival {
                connection: self.id,
                request: self.count.fetch_add(1, Ordering::Relaxed) + 1,
                protocol: "HTTP/1.1".into(),
                method: String::new(),
                path: String::new(),
                head: latin1(&head),
                raw: true,
                refused: true,
                body: None,
            });
        }
    }
}

/// An HTTP/2 head in the form of HTTP/1, for reading only.
fn synthetic_head(request: &Request<Incoming>, path: &str) -> String {
    let mut head = format!("{} {path} {:?}\r\n", request.method(), request.version());
    if let Some(authority) = request.uri().authority() {
        head += &format!(":authority: {authority}\r\n");
    }
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", latin1(value.as_bytes()));
    }
    head + "\r\n"
}
