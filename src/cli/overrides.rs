//! `drain`, `quarantine` and `release`.

use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::remote::{Ask, list, text};
use super::table::printable;

/// `gatekeeper drain INSTANCE --reason TEXT`, and the same with `quarantine`.
pub(super) struct Hold {
    pub kind: Kind,
    pub instance: String,
    pub reason: String,
}

/// How far the instance is kept out.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Drain,
    Quarantine,
}

/// `gatekeeper release INSTANCE | --all --reason TEXT`.
pub(super) struct Release {
    pub instance: Option<String>,
    pub all: bool,
    pub reason: String,
}

impl Ask for Hold {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let path = match self.kind {
            Kind::Drain => "/v1/drain",
            Kind::Quarantine => "/v1/quarantine",
        };
        client.post(path, &json!({"instance": self.instance, "reason": self.reason})).await
    }

    fn show(&self, answer: &Value) -> String {
        let state = match self.kind {
            Kind::Drain => "drained",
            Kind::Quarantine => "in quarantine",
        };
        let instance = &self.instance;
        format!("{instance} is {state} until `gatekeeper release {instance}`\n{}", effects(answer))
    }
}

impl Ask for Release {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let order = match &self.instance {
            Some(instance) => json!({"instance": instance, "reason": self.reason}),
            None => json!({"all": self.all, "reason": self.reason}),
        };
        client.post("/v1/release", &order).await
    }

    fn show(&self, answer: &Value) -> String {
        let released = list(answer, "released");
        let mut out = String::new();
        for o in released {
            let (instance, kind) = (text(o, "instance"), text(o, "kind"));
            out.push_str(&printable(&format!("{instance} is released (was: {kind})")));
            out.push('\n');
        }
        if released.is_empty() {
            out.push_str("nothing to release\n");
        }
        out + &effects(answer)
    }
}

/// What moved, and what is wrong now.
fn effects(answer: &Value) -> String {
    let name = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
    let moved = list(answer, "moved").iter().map(|m| {
        let (site, service) = (text(m, "site"), text(m, "service"));
        format!("{site} {service}: {} -> {}", name(&m["from"]), name(&m["to"]))
    });
    let warnings =
        list(answer, "warnings").iter().map(|w| format!("warning: {}", w.as_str().unwrap_or_default()));
    moved.chain(warnings).map(|line| printable(&line) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_says_what_moved_and_what_is_left_without() {
        let answer = json!({
            "moved": [{"site": "hq", "service": "config", "from": "a", "to": null}],
            "warnings": ["site hq: no instance serves config (all-held)"],
        });
        let drain = Hold { kind: Kind::Drain, instance: "a".to_owned(), reason: "x".to_owned() };
        assert_eq!(
            drain.show(&answer),
            "a is drained until `gatekeeper release a`\nhq config: a -> nobody\nwarning: site hq: no instance serves config (all-held)\n"
        );
    }

    #[test]
    fn a_release_without_an_override_says_so() {
        let release = Release { instance: None, all: true, reason: "x".to_owned() };
        assert_eq!(release.show(&json!({"released": []})), "nothing to release\n");
        let answer = json!({"released": [{"instance": "a", "kind": "drain"}]});
        assert_eq!(release.show(&answer), "a is released (was: drain)\n");
    }
}
