//! A user at a browser: sends what it was given, to whoever it was given by, and remembers what it sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::client::{Call, Http, Reply, Result, call, get};

/// One request as a user made it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub who: &'static str,
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// SHA-256 of the body, in hex.
    pub body: String,
}

/// Everything that any user has sent.
pub type Ledger = Arc<Mutex<Vec<Sent>>>;

pub struct Browser {
    pub who: &'static str,
    pub http: Http,
    pub token: String,
    pub refresh: String,
    jar: BTreeMap<String, String>,
    ledger: Ledger,
}

impl Browser {
    pub fn new(who: &'static str, http: Http, ledger: &Ledger) -> Self {
        Self {
            who,
            http,
            token: String::new(),
            refresh: String::new(),
            jar: BTreeMap::new(),
            ledger: ledger.clone(),
        }
    }

    /// Any request, with all cookies.
    pub async fn send(&mut self, mut call: Call) -> Result<Reply> {
        if !self.jar.is_empty() {
            let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            call = call.header("cookie", &pairs.join("; "));
        }
        self.note(&call);
        let reply = self.http.send(call).await?;
        for cookie in reply.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(reply)
    }

    /// A request to the API with the token; the query says who asks.
    pub async fn ask(&mut self, path: &str) -> Result<Reply> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}who={}", self.who);
        self.send(get(&path).bearer(&self.token)).await
    }

    /// The same without keeping the answer: it may be larger than this machine's memory. Gives its length.
    pub async fn skim(&mut self, path: &str) -> Result<usize> {
        let call = get(&format!("{path}?who={}", self.who)).bearer(&self.token);
        self.note(&call);
        let mut body = self.http.connect().await?.start(&self.http.host, call).await?.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, bytes::Bytes::len);
        }
        Ok(length)
    }

    pub async fn log_in(&mut self) -> Result<Reply> {
        let form =
            format!("grant_type=password&username={0}&password={0}-password&client_id=VmsClient", self.who);
        self.grant(&form).await
    }

    pub async fn renew(&mut self) -> Result<Reply> {
        let form = format!("grant_type=refresh_token&refresh_token={}&client_id=VmsClient", self.refresh);
        self.grant(&form).await
    }

    async fn grant(&mut self, form: &str) -> Result<Reply> {
        let reply = self.send(call("POST", "/API/IDP/connect/token").form(form)).await?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if let (200, Some(token)) = (reply.status, body["access_token"].as_str()) {
            self.token = token.to_owned();
            self.refresh = body["refresh_token"].as_str().unwrap_or_default().to_owned();
        }
        Ok(reply)
    }

    fn note(&self, call: &Call) {
        let hex = Sha256::digest(&call.body).iter().map(|b| format!("{b:02x}")).collect();
        let line = format!("{} {} HTTP/1.1", call.method, call.path);
        self.ledger.lock().unwrap().push(Sent {
            who: self.who,
            line,
            headers: call.headers.clone(),
            body: hex,
        });
    }
}
