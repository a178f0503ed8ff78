//! Asks, checks, and keeps count. One walker is one client with one connection.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::shape;
use crate::sheet::Sheet;
use crate::support::client::{Call, Conn, Http, Reply, call, password_grant};

/// Whose token a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// May everything.
    Admin,
    /// Sees everything, writes nothing.
    Operator,
    /// Sees half of the cameras.
    Guard,
    /// No token.
    Nobody,
}

/// What a row expects.
#[derive(Clone, Copy, Debug)]
pub enum Expect<'a> {
    /// 200 `{"array": [objects of this type]}`.
    Collection(&'a str),
    /// 200 `{"data": object of this type}`.
    Item(&'a str),
    /// 201 (200 where the sheet says so) `{"result": {..., "state": "Success", "path"}}`.
    Created(&'a str),
    /// 200 or 201 `{"state": "Success"}`.
    Success,
    /// 200 or 201 `{"result": {"state": ...}}`, or 400 with `params`.
    Task,
    /// An error with one of these statuses, in the VMS's wrapper.
    Refused(&'a [u16]),
}

/// A request that was made: what the client got, to be compared with what the instance sent.
pub struct Asked {
    pub n: usize,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub body_sha256: String,
}

pub struct Walker<'a> {
    pub sheet: &'a Sheet,
    http: Http,
    connection: Option<Conn>,
    tokens: [String; 3],
    /// Rows walked.
    pub rows: usize,
    /// What was not as the sheet says.
    pub failures: Vec<String>,
    pub asked: Vec<Asked>,
}

impl<'a> Walker<'a> {
    pub async fn new(sheet: &'a Sheet, http: Http) -> Self {
        let mut tokens = [String::new(), String::new(), String::new()];
        for (token, user) in tokens.iter_mut().zip(["admin", "user1", "user2"]) {
            let reply = http.send(password_grant(user, &format!("{user}-password"))).await.unwrap();
            *token = reply.expect(200).json()["access_token"].as_str().unwrap().to_owned();
        }
        let (rows, failures, asked) = (0, Vec::new(), Vec::new());
        Self { sheet, http, connection: None, tokens, rows, failures, asked }
    }

    /// One row: asks, checks, and gives the answer's body.
    pub async fn row(&mut self, who: Who, call: Call, expect: Expect<'_>) -> Value {
        let what = format!("{who:?} {} {}", call.method, call.path);
        let sent = String::from_utf8_lossy(&call.body[..call.body.len().min(300)]).into_owned();
        let reply = self.ask(who, call).await;
        self.rows += 1;
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let complaints = self.judge(&reply, &body, expect);
        if !complaints.is_empty() {
            let text: String = reply.text().chars().take(300).collect();
            let complaints = complaints.join("\n    ");
            self.failures.push(format!("{what} {sent}\n  {} {text}\n    {complaints}", reply.status));
        }
        body
    }

    /// A request that is no row of its own.
    pub async fn ask(&mut self, who: Who, call: Call) -> Reply {
        let n = self.asked.len() + 1;
        let mut call = call.header("x-walk", &format!("{n};"));
        if let Some(token) = self.tokens.get(who as usize) {
            call = call.bearer(token);
        }
        let (method, path) = (call.method.to_string(), call.path.clone());
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.http.connect().await.unwrap(),
        };
        let reply = connection.send(&self.http.host, call).await;
        let reply = reply.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        if reply.header("connection") != "close" {
            self.connection = Some(connection);
        }
        let body_sha256 = sha256(&reply.body);
        self.asked.push(Asked { n, method, path, status: reply.status, body_sha256 });
        reply
    }

    /// Something that is wrong with the walk itself.
    pub fn complain(&mut self, what: String) {
        self.rows += 1;
        self.failures.push(what);
    }

    fn judge(&self, reply: &Reply, body: &Value, expect: Expect<'_>) -> Vec<String> {
        let status = |allowed: &[u16]| {
            let wrong = !allowed.contains(&reply.status);
            wrong.then(|| format!("status {}, not one of {allowed:?}", reply.status))
        };
        let mut complaints = Vec::new();
        let json = reply.header("content-type").starts_with("application/json");
        if !json || body.is_null() {
            complaints.push(format!("no JSON but {:?}", reply.header("content-type")));
        }
        match expect {
            Expect::Collection(name) => {
                complaints.extend(status(&[200]));
                match body["array"].as_array() {
                    Some(array) => {
                        let objects = array.iter().flat_map(|item| shape::object(self.sheet, name, item));
                        complaints.extend(objects);
                    }
                    None => complaints.push("no `array`".into()),
                }
            }
            Expect::Item(name) => {
                complaints.extend(status(&[200]));
                complaints.extend(shape::object(self.sheet, name, &body["data"]));
            }
            Expect::Created(name) => {
                let wanted = if name == "registeredServices" { 200 } else { 201 };
                complaints.extend(status(&[wanted]));
                let result = &body["result"];
                if result["state"] != "Success" || result["path"]["type"] != name {
                    complaints.push("no result with state and path".into());
                }
                let (id, path) = (shape::id_of(result), shape::id_of(&result["path"]));
                if let (Some(id), Some(path)) = (id, path)
                    && !id.eq_ignore_ascii_case(&path)
                {
                    complaints.push(format!("id {id} is not that of the path {path}"));
                }
            }
            Expect::Success => {
                complaints.extend(status(&[200, 201]));
                if body["state"] != "Success" {
                    complaints.push("no state Success".into());
                }
            }
            Expect::Task if reply.status == 400 => {
                complaints.extend(shape::error(400, body));
                // Without parameters the server names them, or says why it cannot be done (sheet 3.4).
                let text = body["error"]["details"][0]["errorText"].as_str().unwrap_or_default();
                if text.contains("parameters missing") && !body["params"].is_object() {
                    complaints.push("parameters missing, but no `params`".into());
                }
                if text.contains("Unknown request") {
                    complaints.push("the task is not known".into());
                }
            }
            Expect::Task => {
                complaints.extend(status(&[200, 201]));
                let states = ["Idle", "InProgress", "Success", "Error"];
                if !body["result"]["state"].as_str().is_some_and(|state| states.contains(&state)) {
                    complaints.push("no result.state".into());
                }
            }
            Expect::Refused(allowed) => {
                complaints.extend(status(allowed));
                complaints.extend(shape::error(reply.status, body));
                let right = body["error"]["details"][0]["errorTextId"] == "VMO61008";
                if (reply.status == 403) != right {
                    complaints.push("403 and VMO61008 go together".into());
                }
            }
        }
        complaints
    }
}

/// A request to the configuration API.
pub fn rest(method: &str, path: &str) -> Call {
    call(method, &format!("/API/rest/v1/{path}"))
}

fn sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
