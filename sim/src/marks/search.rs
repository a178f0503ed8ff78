//! Parameters of the search tasks [I: the sheet names those of bookmarks, the others mirror SOAP].

use serde_json::{Map, Value};

use super::shelf::Mark;
use crate::rest::{body, error::RestError, span};

/// Most marks that a search gives.
const MOST: usize = 1000;

/// Conditions that every search takes.
pub struct Sieve<'p> {
    devices: Option<Vec<&'p str>>,
    users: Option<Vec<&'p str>>,
    text: String,
}

impl<'p> Sieve<'p> {
    /// Reads `deviceIds`, `users` and `searchText`; an empty list is no condition.
    pub fn read(parameters: &'p Map<String, Value>) -> Result<Self, RestError> {
        let list = |name| Ok::<_, RestError>(body::list(parameters, name)?.filter(|list| !list.is_empty()));
        let text = body::text(parameters, "searchText")?.unwrap_or_default().to_lowercase();
        Ok(Self { devices: list("deviceIds")?, users: list("users")?, text })
    }

    /// Whether a mark meets them.
    pub fn admits(&self, mark: &Mark) -> bool {
        let among = |list: &Option<Vec<&str>>, value: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|item| item.eq_ignore_ascii_case(value)))
        };
        let device = self.devices.is_none() || mark.devices.iter().any(|(_, id)| among(&self.devices, id));
        let texts = ["header", "description", "reference"];
        let text = texts.iter().any(|name| mark.text(name).to_lowercase().contains(&self.text));
        device && text && among(&self.users, mark.text("user"))
    }
}

/// Refuses parameters that lack one of these; the answer names them all (sheet 3.4).
pub fn needs(parameters: &Map<String, Value>, names: &[&str]) -> Result<(), RestError> {
    if names.iter().all(|name| parameters.get(*name).is_some_and(|value| !value.is_null())) {
        return Ok(());
    }
    let all = names.iter().map(|name| ((*name).to_owned(), "".into()));
    Err(RestError::parameters_missing(all.collect(), None))
}

/// A span of time: seconds as a number, or `d.HH:mm:ss` with an optional minus.
pub fn seconds(parameters: &Map<String, Value>, name: &str) -> Result<i64, RestError> {
    let read = match parameters.get(name) {
        Some(Value::String(text)) => match text.strip_prefix('-') {
            Some(text) => span(text).map(|seconds| -seconds),
            None => span(text),
        },
        value => value.and_then(Value::as_i64),
    };
    read.ok_or_else(|| RestError::property(name, "seconds or d.HH:mm:ss were expected"))
}

/// A number of marks, cut to the most that there can be.
pub fn count(parameters: &Map<String, Value>, name: &str) -> Result<usize, RestError> {
    let read = parameters.get(name).and_then(Value::as_u64);
    let read = read.ok_or_else(|| RestError::property(name, "a number was expected"))?;
    Ok(usize::try_from(read).unwrap_or(MOST).min(MOST))
}
