//! Two instances, a gatekeeper that compares them, and a person who edits them.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::support::client::{call, get, login};
use crate::support::config::Config;
use crate::support::gatekeeper::{Gatekeeper, text};
use crate::support::sim::Sim;

pub struct Sides {
    pub a: Sim,
    pub b: Sim,
    pub gatekeeper: Gatekeeper,
    /// What the person has done on each side.
    edits: [Cell<usize>; 2],
}

/// A plan and the exit code with which it came.
pub struct Plan {
    pub code: Option<i32>,
    pub json: Value,
}

/// Which instance a person edits.
#[derive(Clone, Copy)]
pub enum At {
    A,
    B,
}

/// The baseline confirms itself; no reading but the first and those that a test asks for.
pub const AUTO: &str = "enabled = true\nbaseline = \"auto\"\ninterval = \"1h\"\nfull_interval = \"1h\"\ndelete_min_age = \"0s\"\ndelete_snapshots = 2";

impl Sides {
    /// Equal sites.
    pub async fn equal(sync: &str) -> Self {
        Self::with(&["--cameras", "12"], &[], sync, |config| config).await
    }

    pub async fn with(
        options: &[&str],
        only_b: &[&str],
        sync: &str,
        config: impl FnOnce(Config) -> Config,
    ) -> Self {
        let of_b: Vec<&str> = options.iter().chain(only_b).copied().collect();
        let (a, b) = (Sim::start("a", options), Sim::start("b", &of_b));
        let config = config(Config::xprotect(&[&a, &b]).with_accounts().table("sync", sync));
        let gatekeeper = Gatekeeper::ready(config).await;
        gatekeeper.wait_matched().await;
        Self { a, b, gatekeeper, edits: Default::default() }
    }

    pub const fn sim(&self, at: At) -> &Sim {
        match at {
            At::A => &self.a,
            At::B => &self.b,
        }
    }

    /// Reads both sides and plans.
    #[track_caller]
    pub fn plan(&self) -> Plan {
        let output = self.gatekeeper.command(&["sync", "plan", "--json"]);
        let json = serde_json::from_str(&text(&output.stdout))
            .unwrap_or_else(|e| panic!("{e}: {} {}", text(&output.stdout), text(&output.stderr)));
        Plan { code: output.status.code(), json }
    }

    /// The answer of another `sync` command.
    #[track_caller]
    pub fn ask(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = ["sync"].into_iter().chain(args.iter().copied()).chain(["--json"]).collect();
        serde_json::from_str(&self.gatekeeper.succeed(&args)).unwrap()
    }

    /// An edit by an administrator, directly on an instance.
    pub async fn edit(&self, at: At, method: &str, path: &str, body: &Value) -> Value {
        let http = self.sim(at).http();
        let token = login(&http).await;
        let path = format!("/API/rest/v1/{path}");
        let request = call(method, &path).bearer(&token);
        let request = if body.is_null() { request } else { request.json(body) };
        let reply = http.send(request).await.unwrap();
        assert!((200..300).contains(&reply.status), "{method} {path}: {} {}", reply.status, reply.text());
        let edits = match at {
            At::A => &self.edits[0],
            At::B => &self.edits[1],
        };
        edits.set(edits.get() + 1);
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// Objects of a type, disabled ones too.
    pub async fn list(&self, at: At, kind: &str) -> Vec<Value> {
        let http = self.sim(at).http();
        let token = login(&http).await;
        let path = format!("/API/rest/v1/{kind}?disabled");
        let reply = http.send(get(&path).bearer(&token)).await.unwrap().expect(200);
        reply.json()["array"].as_array().unwrap().clone()
    }

    /// The id of the object with this name.
    pub async fn id(&self, at: At, kind: &str, name: &str) -> String {
        let list = self.list(at, kind).await;
        let found = list.iter().find(|o| o["name"] == name);
        found.unwrap_or_else(|| panic!("no {kind} {name:?}: {list:?}"))["id"].as_str().unwrap().to_lowercase()
    }

    /// Changes fields of the object with this name.
    pub async fn patch(&self, at: At, kind: &str, name: &str, fields: &Value) {
        let path = format!("{kind}/{}", self.id(at, kind, name).await);
        self.edit(at, "PATCH", &path, fields).await;
    }

    /// Deletes the object with this name.
    pub async fn delete(&self, at: At, kind: &str, name: &str) {
        let path = format!("{kind}/{}", self.id(at, kind, name).await);
        self.edit(at, "DELETE", &path, &Value::Null).await;
    }

    /// Nobody has written to either instance but the person.
    pub async fn assert_nothing_written(&self) {
        for (sim, edits) in [(&self.a, &self.edits[0]), (&self.b, &self.edits[1])] {
            let writes = sim.writes().await;
            assert_eq!(writes.len(), edits.get(), "{}: {writes:?}", sim.name);
        }
    }

    /// A fault of an instance's configuration API.
    pub async fn fault(&self, at: At, fault: &Value) {
        let mut fault = fault.clone();
        fault["service"] = json!("config");
        let reply = self.sim(at).try_fault(&fault).await;
        assert!((200..300).contains(&reply.status), "{fault}: {}", reply.text());
    }
}

impl Plan {
    pub fn list(&self, key: &str) -> &[Value] {
        self.json[key].as_array().unwrap_or_else(|| panic!("no {key}: {}", self.json))
    }

    /// Operations as `kind type name verdict`, sorted.
    pub fn operations(&self) -> Vec<String> {
        let word = |o: &Value, key: &str| o[key].as_str().unwrap().to_owned();
        let line = |o: &Value| ["kind", "type", "name", "verdict"].map(|key| word(o, key)).join(" ");
        let mut lines: Vec<String> = self.list("operations").iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Operations on a type.
    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.list("operations").iter().filter(|o| o["type"] == kind).collect()
    }

    /// Reasons why a type as a whole, or objects of it, are left alone.
    pub fn skipped(&self, kind: &str) -> Vec<(String, String)> {
        let of = self.list("skipped").iter().filter(|s| s["type"] == kind);
        of.map(|s| (s["name"].as_str().unwrap().to_owned(), s["reason"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// The operation on the object with this name.
    #[track_caller]
    pub fn one(&self, kind: &str, name: &str) -> &Value {
        let found = self.list("operations").iter().find(|o| o["type"] == kind && o["name"] == name);
        found.unwrap_or_else(|| panic!("nothing about {kind} {name:?}: {:#}", self.json))
    }
}
