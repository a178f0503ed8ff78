//! `sync approve ...`: what only a person may say.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::client::{Client, ClientError};
use crate::cli::remote::{Ask, list, perform, text};
use crate::cli::table::printable;
use crate::cli::{Order, Outcome};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Approve {
    /// What was paired at first is right: from now on differences become operations
    ///
    /// Look at `sync plan`, `sync links` and `sync disputes` before. What gives rights (roles, users,
    /// login providers, rules) and has exactly one counterpart by name is linked by this, later never
    /// without a person.
    #[command(
        after_help = "Examples:\n  gatekeeper sync approve baseline --reason \"looked at all links\"\n  gatekeeper sync approve baseline a b --reason \"looked at all links\""
    )]
    Baseline {
        /// Both instances; without them: all that share a site
        #[arg(value_name = "INSTANCE", num_args = 2)]
        instances: Vec<String>,
        #[command(flatten)]
        order: Order,
    },
    /// Let pass what the newest reading of a type was not believed for
    ///
    /// Unknown fields are then left alone, missing or retyped ones not compared; an empty list counts
    /// as empty. Without a type: a canary that was changed, or an instance that was restored from a
    /// backup; what is there now is what counts from then on.
    #[command(
        after_help = "Example:\n  gatekeeper sync approve reading cameras --instance b --reason \"new VMS version\""
    )]
    Reading {
        /// Name of the collection, such as cameras; without it: what speaks against the whole instance
        #[arg(value_name = "TYPE")]
        kind: Option<String>,
        /// Whose reading
        #[arg(long, value_name = "INSTANCE")]
        instance: String,
        #[command(flatten)]
        order: Order,
    },
}

impl Approve {
    pub(super) fn perform(self) -> Outcome {
        match self {
            Self::Baseline { instances, order } => {
                perform(&order.remote, Baseline { instances, reason: order.reason })
            }
            Self::Reading { kind, instance, order } => {
                perform(&order.remote, Reading { kind, instance, reason: order.reason })
            }
        }
    }
}

struct Baseline {
    instances: Vec<String>,
    reason: String,
}

impl Ask for Baseline {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let mut order = json!({"reason": self.reason});
        if !self.instances.is_empty() {
            order["instances"] = json!(self.instances);
        }
        client.post("/v1/sync/baseline", &order).await
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        for pair in list(answer, "confirmed") {
            let names: Vec<&str> = pair.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let _ = writeln!(out, "{}", printable(&format!("{}: baseline confirmed", names.join(" and "))));
        }
        out
    }
}

struct Reading {
    kind: Option<String>,
    instance: String,
    reason: String,
}

impl Ask for Reading {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let order = json!({"instance": self.instance, "type": self.kind, "reason": self.reason});
        client.post("/v1/sync/accept", &order).await
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        for one in list(answer, "accepted").iter().filter_map(Value::as_str) {
            let kind = answer["type"].as_str().map_or_else(String::new, |kind| format!("{kind} of "));
            let words = format!("{kind}{}: {one}", text(answer, "instance"));
            let _ = writeln!(out, "{}", printable(&words));
        }
        out + "the next reading lets this pass\n"
    }
}
