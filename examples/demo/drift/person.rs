//! A person who works on both sites through the API of the VMS, and remembers every change that it made.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Instance, Instances};
use crate::web::{self, Kept, Target};

/// Which site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Primary,
    Standby,
}

/// The person.
pub struct Person {
    sessions: [Session; 2],
}

struct Session {
    instance: &'static str,
    line: Kept,
    token: HeaderValue,
    control: SocketAddr,
    done: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
struct Change {
    method: String,
    path: String,
    body: Value,
}

/// What an instance says was written to it, beside what the person remembers.
#[derive(Clone, Debug)]
pub struct Written {
    pub instance: &'static str,
    /// Changes that the instance accepted.
    pub count: usize,
    /// Of them, those that the person made.
    pub by_person: usize,
    /// The others, in words.
    pub by_others: Vec<String>,
    /// The person made them, and the instance does not know of them.
    pub missing: Vec<String>,
}

impl Person {
    /// Logs in to both sites.
    pub async fn log_in(instances: &Instances) -> anyhow::Result<Self> {
        let session = async |instance: &Instance| {
            let mut line = Kept::new(Target::tls(instance.listener, &instances.ca)?);
            let token = log_in(&mut line).await.with_context(|| format!("instance {}", instance.name))?;
            let (instance, control) = (instance.name, instance.control());
            anyhow::Ok(Session { instance, line, token, control, done: Vec::new() })
        };
        Ok(Self { sessions: [session(&instances.primary).await?, session(&instances.standby).await?] })
    }

    /// The name of a site.
    pub const fn name(&self, at: At) -> &'static str {
        self.sessions[at as usize].instance
    }

    /// The objects of a list, such as `cameras` or `recordingServers/ID/storages`; disabled ones, too.
    pub async fn list(&mut self, at: At, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.ask(at, "GET", &format!("{ROOT}/{path}?disabled"), "").await?;
        match answer["array"].take() {
            Value::Array(list) => Ok(list),
            other => bail!("{path} is no list: {other}"),
        }
    }

    /// Changes fields of an object.
    pub async fn change(&mut self, at: At, kind: &str, id: &str, fields: Value) -> anyhow::Result<()> {
        self.write(at, "PATCH", format!("{ROOT}/{kind}/{id}"), fields).await
    }

    /// Makes an object.
    pub async fn create(&mut self, at: At, kind: &str, fields: Value) -> anyhow::Result<()> {
        self.write(at, "POST", format!("{ROOT}/{kind}"), fields).await
    }

    async fn write(&mut self, at: At, method: &str, path: String, body: Value) -> anyhow::Result<()> {
        self.ask(at, method, &path, &body.to_string()).await?;
        self.sessions[at as usize].done.push(Change { method: method.to_owned(), path, body });
        Ok(())
    }

    async fn ask(&mut self, at: At, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let session = &mut self.sessions[at as usize];
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, session.token.clone());
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let reply = session.line.exchange(method, path, headers, body).await?;
        if !reply.status.is_success() {
            let text = String::from_utf8_lossy(&reply.body);
            bail!("{method} {path} on {}: {} {text}", session.instance, reply.status);
        }
        reply.json()
    }

    /// What both instances say was written to them since they started.
    pub async fn written(&self) -> anyhow::Result<Vec<Written>> {
        let mut all = Vec::new();
        for session in &self.sessions {
            let log = web::once(session.control, "GET", "/writes", "").await?.json()?;
            all.push(session.compare(log.as_array().context("/writes is no list")?));
        }
        Ok(all)
    }
}

impl Session {
    fn compare(&self, log: &[Value]) -> Written {
        let mut mine = self.done.clone();
        let mut by_others = Vec::new();
        for entry in log {
            let is_it = |c: &Change| {
                entry["method"] == *c.method && entry["path"] == *c.path && entry["body"] == c.body
            };
            match mine.iter().position(is_it) {
                Some(at) => drop(mine.swap_remove(at)),
                None => by_others.push(words(entry)),
            }
        }
        Written {
            instance: self.instance,
            count: log.len(),
            by_person: self.done.len() - mine.len(),
            by_others,
            missing: mine.iter().map(|c| format!("{} {}", c.method, c.path)).collect(),
        }
    }
}

impl Written {
    /// Nobody but the person wrote, and nothing that it wrote is unknown.
    pub const fn is_clean(&self) -> bool {
        self.by_others.is_empty() && self.missing.is_empty()
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "instance": self.instance,
            "count": self.count,
            "by_person": self.by_person,
            "by_others": self.by_others,
            "missing": self.missing,
        })
    }
}

fn words(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    format!("{} {} by {}: {}", text("method"), text("path"), text("who"), entry["body"])
}

async fn log_in(line: &mut Kept) -> anyhow::Result<HeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let reply = line.exchange("POST", "/API/IDP/connect/token", headers, FORM).await.context("log-in")?;
    if reply.status != StatusCode::OK {
        bail!("log-in: status {}", reply.status);
    }
    let body = reply.json()?;
    let token = body["access_token"].as_str().context("log-in: no token in the answer")?;
    HeaderValue::try_from(format!("Bearer {token}")).context("log-in: not a token")
}

const ROOT: &str = "/API/rest/v1";
/// Only administrators may change things.
const FORM: &str =
    "grant_type=password&username=admin&password=admin-password&client_id=GrantValidatorClient";
