//! The control API: what tests and the demo ask, and the faults they make. JSON on a port of its own, not
//! part of the simulated VMS.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::api::Write;
use crate::faults::{self, BadInput, Fault, Lift};
use crate::instance::Instance;
use crate::server::breaker::{BreakError, Breaker};
use crate::service::Service;
use crate::stamp::Stamp;

/// Nothing that is posted here is large.
const LARGEST_BODY: usize = 1 << 20;

/// Serves the control API until the process ends.
pub async fn run(listener: TcpListener, instance: Arc<Instance>, breaker: Arc<Breaker>) {
    let control = Arc::new(Control { instance, breaker });
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "control: accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let control = Arc::clone(&control);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let control = Arc::clone(&control);
                async move { Ok::<_, Infallible>(control.answer(request).await.map(Full::new)) }
            });
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "control connection ended");
            }
        });
    }
}

struct Control {
    instance: Arc<Instance>,
    breaker: Arc<Breaker>,
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error(transparent)]
    Input(#[from] BadInput),
    #[error(transparent)]
    Break(#[from] BreakError),
    #[error("no such path; there are {PATHS}")]
    Path,
    #[error("this path takes {0}")]
    Method(&'static str),
}

const PATHS: &str = "/state /writes /requests /events /faults";

impl Control {
    async fn answer(&self, request: Request<Incoming>) -> Response<Bytes> {
        match self.route(request).await {
            Ok(body) => json_response(StatusCode::OK, &body),
            Err(error) => {
                let text = error.to_string();
                let (status, body) = match error {
                    ControlError::Input(bad) | ControlError::Break(BreakError::Input(bad)) => (
                        StatusCode::BAD_REQUEST,
                        json!({ "field": bad.field, "text": bad.text, "allowed": bad.allowed }),
                    ),
                    ControlError::Break(BreakError::Filter(_)) => {
                        (StatusCode::NOT_IMPLEMENTED, json!({ "text": text }))
                    }
                    ControlError::Break(_) => (StatusCode::INTERNAL_SERVER_ERROR, json!({ "text": text })),
                    ControlError::Path => (StatusCode::NOT_FOUND, json!({ "text": text })),
                    ControlError::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, json!({ "text": text })),
                };
                json_response(status, &json!({ "error": body }))
            }
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Value, ControlError> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        let instance = &self.instance;
        match (head.uri.path(), &head.method) {
            ("/state", &Method::GET) => Ok(self.state()),
            ("/writes", &Method::GET) => {
                Ok(Value::Array(instance.api.writes().iter().map(write_json).collect()))
            }
            ("/requests", &Method::GET) => Ok(Value::Array(instance.arrivals.after(since(query)?))),
            ("/events", &Method::GET) => {
                let events = instance.journal.after(since(query)?, usize::MAX);
                Ok(Value::Array(events.iter().map(|event| event.to_oracle()).collect()))
            }
            ("/events", &Method::POST) => self.inject(&read(body).await?),
            ("/faults", &Method::GET) => Ok(self.faults()),
            ("/faults", &Method::POST) => {
                self.breaker.set(Fault::parse(&read(body).await?, Stamp::now().ticks())?).await?;
                Ok(self.faults())
            }
            ("/faults", &Method::DELETE) => {
                let [service, mode] = parameters(query, ["service", "mode"])?;
                let target = service.map(faults::target).transpose()?;
                let mode = mode.map(faults::mode).transpose()?;
                self.breaker.lift(Lift { target, mode }).await?;
                Ok(self.faults())
            }
            ("/state" | "/writes" | "/requests", _) => Err(ControlError::Method("GET")),
            ("/events", _) => Err(ControlError::Method("GET and POST")),
            ("/faults", _) => Err(ControlError::Method("GET, POST and DELETE")),
            _ => Err(ControlError::Path),
        }
    }

    fn state(&self) -> Value {
        let api = &self.instance.api;
        let services: serde_json::Map<String, Value> = Service::ALL
            .into_iter()
            .map(|service| {
                let broken = self.instance.faults.current(Some(service));
                (service.name().to_owned(), broken.map_or(json!("ok"), |mode| json!(mode.name())))
            })
            .collect();
        json!({
            "name": api.settings().name,
            "services": services,
            "objects": api.object_counts(),
            "sessions": api.session_count(),
            "messages": { "sockets": self.instance.messages.sockets(), "slow": self.instance.messages.slow() },
            "webrtc": { "sessions": api.webrtc_sessions() },
        })
    }

    fn faults(&self) -> Value {
        Value::Array(self.instance.faults.list())
    }

    fn inject(&self, body: &Value) -> Result<Value, ControlError> {
        let missing = |field: &str, what: &str| BadInput::new(field, format!("must be {what}"), vec![]);
        let physical = body["physical"].as_i64().ok_or_else(|| missing("physical", "an integer"))?;
        let camera = body["camera"].as_u64().and_then(|index| usize::try_from(index).ok());
        let camera = camera.ok_or_else(|| missing("camera", "the physical index of a camera"))?;
        let kind =
            body["type"].as_str().ok_or_else(|| missing("type", "a name or an id of an event type"))?;
        let injected = self.instance.feed.inject(physical, camera, kind)?;
        let mut json = injected.event.to_oracle();
        if injected.lost {
            json["lost"] = json!(true);
        }
        Ok(json)
    }
}

async fn read(body: Incoming) -> Result<Value, ControlError> {
    let bad = |text: String| BadInput::new("body", text, vec![]);
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|error| bad(error.to_string()))?;
    Ok(serde_json::from_slice(&body.to_bytes()).map_err(|error| bad(format!("is no JSON: {error}")))?)
}

fn since(query: &str) -> Result<u64, BadInput> {
    let [Some(text)] = parameters(query, ["since"])? else { return Ok(0) };
    text.parse().map_err(|_| BadInput::new("since", format!("{text:?} is no number"), vec!["0..".into()]))
}

/// The values of the parameters that the path takes.
fn parameters<'a, const N: usize>(
    query: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], BadInput> {
    let mut found = [None; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let known = pair.split_once('=').and_then(|(key, value)| {
            let at = names.iter().position(|name| *name == key)?;
            Some((found.get_mut(at)?, value))
        });
        let Some((slot, value)) = known else {
            let allowed = names.iter().map(|name| format!("{name}=")).collect();
            return Err(BadInput::new(pair, "unknown parameter", allowed));
        };
        *slot = Some(value);
    }
    Ok(found)
}

fn write_json(write: &Write) -> Value {
    json!({
        "time": write.time,
        "method": write.method,
        "path": write.path,
        "body": write.body,
        "who": write.who,
    })
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_parameters() {
        assert_eq!(since(""), Ok(0));
        assert_eq!(since("since=7"), Ok(7));
        assert_eq!(since("since=x").map_err(|error| error.field), Err("since".to_owned()));
        assert!(since("sinc=7").is_err());
        let two = |query| parameters(query, ["service", "mode"]);
        assert_eq!(two("mode=x&service=y"), Ok([Some("y"), Some("x")]));
        assert_eq!(two("mode=x"), Ok([None, Some("x")]));
        assert_eq!(two("mode").map_err(|error| error.allowed.len()), Err(2));
    }
}
