//! The operator, who asks the gatekeeper what it thinks: the admin API, as the commands `gatekeeper sync ...` use it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::web::{Kept, Target};

/// The operator.
pub struct Operator {
    line: Kept,
    token: HeaderValue,
}

impl Operator {
    /// With the token that the gatekeeper has written at its start.
    pub fn new(stage: &Stage) -> anyhow::Result<Self> {
        let file = stage.dir.join("state/admin.token");
        let token = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let token = HeaderValue::try_from(format!("Bearer {}", token.trim())).context("admin token")?;
        Ok(Self { line: Kept::new(Target::plain(stage.admin)), token })
    }

    /// Waits until both sides were read for the first time. Gives the plan.
    pub async fn first_plan(&mut self) -> anyhow::Result<Value> {
        let limit = Instant::now() + FIRST_LIMIT;
        loop {
            let status = self.get("/v1/sync/status").await?;
            let pair = &status["pairs"][0];
            if pair["last_run"] == "matched" && pair["plan"].is_object() {
                return self.get("/v1/sync/plan").await;
            }
            if Instant::now() > limit {
                bail!("the sides were not compared within {FIRST_LIMIT:?}: {status}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// `gatekeeper sync approve baseline`.
    pub async fn confirm_baseline(&mut self) -> anyhow::Result<()> {
        self.post("/v1/sync/baseline", &json!({ "reason": "demo" })).await.map(drop)
    }

    /// `gatekeeper sync plan`: reads both sides now.
    pub async fn plan(&mut self) -> anyhow::Result<Value> {
        let mut answer = self.post("/v1/sync/plan", &json!({})).await?;
        if answer["running"] == true {
            let before = answer["after"].as_u64().context("no number of the run before")?;
            self.newer(before, FIRST_LIMIT).await?.context("the plan does not come to an end")?;
            return self.get("/v1/sync/plan").await;
        }
        Ok(answer["plan"].take())
    }

    /// The number of the last run.
    pub async fn number(&mut self) -> anyhow::Result<u64> {
        self.get("/v1/sync/status").await?["number"].as_u64().context("no number of the run")
    }

    /// Waits for a run after that one; `None` after `limit`.
    pub async fn newer(&mut self, than: u64, limit: Duration) -> anyhow::Result<Option<u64>> {
        let end = Instant::now() + limit;
        loop {
            let number = self.number().await?;
            if number > than {
                return Ok(Some(number));
            }
            if Instant::now() > end {
                return Ok(None);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.ask("GET", path, "").await
    }

    async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask("POST", path, &body.to_string()).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.token.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = self.line.exchange(method, path, headers, body).await?;
        if !reply.status.is_success() {
            let text = String::from_utf8_lossy(&reply.body);
            bail!("{method} {path} of the gatekeeper: {} {text}", reply.status);
        }
        reply.json()
    }
}

/// A list of an answer; empty if it is not there.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// A text of an answer; empty if it is not there.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// How fine the times are until something is seen.
const POLL: Duration = Duration::from_millis(20);
const FIRST_LIMIT: Duration = Duration::from_secs(30);
