//! Rules are made like in a wizard: as long as something is missing, the answer says what (sheet 3.6, Rules).

use serde_json::{Map, Value};

use super::RestError;

/// Refuses a rule that is not complete and names what it lacks.
pub fn check(body: &Map<String, Value>) -> Result<(), RestError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut needed = vec!["name", "startRuleType", "startActions"];
    if text("startRuleType") == "Event" {
        needed.extend(["startEventGroup", "startEventType", "startEventSources"]);
    }
    if text("stopRuleType") == "Event" {
        needed.extend(["stopEventGroup", "stopEventType", "stopEventSources"]);
    }
    let missing: Map<String, Value> = needed
        .into_iter()
        .filter(|name| text(name).is_empty())
        .map(|name| (name.to_owned(), "".into()))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(RestError::parameters_missing(missing, None)) }
}
