//! A few answers of an instance on a loopback socket: just what probes ask.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::types::Origin;

/// What is wrong with the instance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// The config service answers 200 with the web server's page.
    pub(super) wrong_body: bool,
    /// No events service in this version.
    pub(super) no_events: bool,
    /// Every answer is the last on its connection.
    pub(super) one_answer_each: bool,
    /// Requests with a token are answered 503: the database is gone.
    pub(super) no_database: bool,
    /// The account's password is wrong.
    pub(super) refuses_login: bool,
}

pub(super) struct Fake {
    pub(super) origin: Origin,
    faults: Arc<Mutex<Faults>>,
    logins: watch::Sender<usize>,
    server: tokio::task::JoinHandle<()>,
}

impl Fake {
    pub(super) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(name, listener)
    }

    /// The same instance again, on the address it had.
    pub(super) async fn restart(name: &'static str, origin: &Origin) -> Self {
        let address: SocketAddr = origin.authority().parse().unwrap();
        Self::on(name, TcpListener::bind(address).await.unwrap())
    }

    fn on(name: &'static str, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let origin = Origin { tls: false, host: address.ip().to_string(), port: address.port() };
        let faults = Arc::new(Mutex::new(Faults::default()));
        let logins = watch::Sender::new(0);
        let (shared, counted) = (Arc::clone(&faults), logins.clone());
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (shared, counted) = (Arc::clone(&shared), counted.clone());
                connections.spawn(async move {
                    let faults = || *shared.lock().unwrap();
                    let answer = service_fn(async |r: Request<Incoming>| {
                        if r.uri().path() == TOKEN {
                            counted.send_modify(|n| *n += 1);
                        }
                        Ok::<_, Infallible>(answer(name, faults(), &r))
                    });
                    let http = hyper::server::conn::http1::Builder::new()
                        .keep_alive(!faults().one_answer_each)
                        .serve_connection(TokioIo::new(socket), answer);
                    let _ = http.await;
                });
            }
        });
        Self { origin, faults, logins, server }
    }

    pub(super) fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    /// Token requests so far.
    pub(super) fn logins(&self) -> usize {
        *self.logins.borrow()
    }

    pub(super) async fn first_login(&self) {
        self.logins.subscribe().wait_for(|n| *n > 0).await.unwrap();
    }

    /// As kill -9: listener and connections are gone when this returns.
    pub(super) async fn kill(self) -> Origin {
        self.server.abort();
        let _ = self.server.await;
        self.origin
    }
}

fn answer(name: &str, faults: Faults, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let reply = |status: u16, body: String| {
        Response::builder().status(status).body(Full::new(Bytes::from(body))).expect("it is complete")
    };
    let with_token = request.headers().contains_key("authorization");
    let denied = r#"{"error":{"httpCode":401,"details":[{"errorText":"no token"}]}}"#;
    let page = "<html><h2>Internet Information Services</h2></html>";
    match request.uri().path() {
        "/IDP/.well-known/openid-configuration" | "/API/IDP/.well-known/openid-configuration" => {
            let issuer = format!("https://{name}.example/IDP");
            reply(200, format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/connect/token"}}"#))
        }
        "/IDP/.well-known/openid-configuration/jwks" => {
            reply(200, format!(r#"{{"keys":[{{"kid":"KEY-{name}"}}]}}"#))
        }
        TOKEN if faults.refuses_login => reply(400, r#"{"error":"invalid_grant"}"#.into()),
        TOKEN => reply(200, r#"{"access_token":"T","expires_in":0}"#.into()),
        "/API/.well-known/uris" if faults.wrong_body => reply(200, page.into()),
        "/API/.well-known/uris" => reply(200, r#"{"ProductVersion":"25.2.1.1"}"#.into()),
        "/API/rest/v1/alarmStates" if faults.no_events => reply(404, denied.into()),
        path if path.starts_with("/API/rest/v1/") && with_token && faults.no_database => {
            reply(503, page.into())
        }
        path if path.starts_with("/API/rest/v1/") && with_token => {
            reply(200, r#"{"array":[{"id":"x"}]}"#.into())
        }
        path if path.starts_with("/API/rest/v1/") => reply(401, denied.into()),
        "/ManagementServer/ServerCommandService.svc" => reply(401, String::new()),
        _ => reply(404, page.into()),
    }
}

const TOKEN: &str = "/API/IDP/connect/token";
