//! `sync coverage`.

use serde_json::Value;

use super::of_type;
use crate::cli::client::{Client, ClientError};
use crate::cli::coverage;
use crate::cli::remote::Ask;

pub(super) struct Coverage {
    pub(super) kind: Option<String>,
}

impl Ask for Coverage {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get(&of_type("/v1/sync/coverage", self.kind.as_ref())).await
    }

    fn show(&self, answer: &Value) -> String {
        coverage::render(answer)
    }
}
