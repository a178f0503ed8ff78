//! Members of a body that no field of the table describes.

use serde_json::{Map, Value};

use super::error::RestError;
use crate::stamp::Stamp;

/// Longest text of a member, in bytes: what is kept is bounded.
const LONGEST_TEXT: usize = 8 << 10;

/// A member that is text, of any length; null is as good as absent.
pub fn long_text<'b>(body: &'b Map<String, Value>, name: &str) -> Result<Option<&'b str>, RestError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(RestError::property(name, "text was expected")),
    }
}

/// The same, if it is not too long.
pub fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Result<Option<&'b str>, RestError> {
    match long_text(body, name)? {
        Some(text) if text.len() > LONGEST_TEXT => {
            Err(RestError::property(name, format!("more than {LONGEST_TEXT} bytes")))
        }
        text => Ok(text),
    }
}

/// A member that must be there.
pub fn required<'b>(body: &'b Map<String, Value>, name: &str) -> Result<&'b str, RestError> {
    let given = text(body, name)?.filter(|text| !text.is_empty());
    given.ok_or_else(|| RestError::property(name, "a value is needed"))
}

/// A member that is a time.
pub fn time(body: &Map<String, Value>, name: &str) -> Result<Option<Stamp>, RestError> {
    let read = |text| Stamp::parse(text).ok_or_else(|| RestError::property(name, "a time was expected"));
    text(body, name)?.map(read).transpose()
}

/// A member that is a list of text.
pub fn list<'b>(body: &'b Map<String, Value>, name: &str) -> Result<Option<Vec<&'b str>>, RestError> {
    let items = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    items.map(Some).ok_or_else(|| RestError::property(name, "a list of text was expected"))
}
