//! `failback`.

use serde_json::{Value, json};

use super::Outcome;
use super::client::{Client, ClientError};
use super::remote::{Ask, list, text};
use super::table::printable;

/// `gatekeeper failback [SITE [SERVICE]] --reason TEXT`.
pub(super) struct Failback {
    pub site: Option<String>,
    pub service: Option<String>,
    pub reason: String,
}

impl Ask for Failback {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let mut order = json!({"reason": self.reason});
        if let Some(site) = &self.site {
            order["site"] = json!(site);
        }
        if let Some(service) = &self.service {
            order["service"] = json!(service);
        }
        client.post("/v1/failback", &order).await
    }

    fn show(&self, answer: &Value) -> String {
        let line = |s: &Value| {
            let (site, service) = (text(s, "site"), text(s, "service"));
            let (from, serving) = (s["from"].as_str().unwrap_or("nobody"), text(s, "serving"));
            let what = match text(s, "result") {
                "returned" => format!("returned: {from} -> {serving}"),
                "at-home" => format!("is at home on {serving}"),
                _ => format!("stays on {from}: {}", text(s, "why")),
            };
            printable(&format!("{site} {service}: {what}")) + "\n"
        };
        list(answer, "services").iter().map(line).collect()
    }

    fn outcome(&self, answer: &Value) -> Outcome {
        let not_ready = list(answer, "services").iter().any(|s| text(s, "result") == "not-ready");
        if not_ready { Outcome::Partly } else { Outcome::Done }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_that_stay_make_it_partly_done() {
        let failback = Failback { site: None, service: None, reason: "x".to_owned() };
        let home = json!({"site": "hq", "service": "soap", "from": "a", "serving": "a", "result": "at-home"});
        let back =
            json!({"site": "hq", "service": "config", "from": "b", "serving": "a", "result": "returned"});
        let stays = json!({"site": "hq", "service": "events", "from": "b", "serving": "b", "result": "not-ready", "why": "a is down"});
        let done = json!({"services": [home, back]});
        assert_eq!(failback.outcome(&done), Outcome::Done);
        let lacks = json!({"site": "hq", "service": "soap", "from": "b", "serving": "b", "result": "absent", "why": "a does not have it"});
        assert_eq!(failback.outcome(&json!({"services": [lacks, back]})), Outcome::Done);
        assert_eq!(failback.show(&done), "hq soap: is at home on a\nhq config: returned: b -> a\n");
        let partly = json!({"services": [back, stays]});
        assert_eq!(failback.outcome(&partly), Outcome::Partly);
        assert!(failback.show(&partly).ends_with("hq events: stays on b: a is down\n"));
    }
}
