//! What tasks do.

pub mod devices;
pub mod security;
pub mod sequences;
pub mod users;

use serde_json::Value;

use super::tasks::Invocation;

impl Invocation<'_> {
    /// A text parameter; parameters have been checked, so an empty one was not asked for.
    fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The id in a parameter of the form `type/id`.
    fn path_id(&self, name: &str) -> &str {
        self.text(name).split_once('/').map_or("", |(_, id)| id)
    }
}
