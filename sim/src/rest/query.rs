//! Query parameters (sheet 3.2).

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{error::RestError, table::Type};
use crate::switches::{MAX_PAGE_SIZE, PAGE_SIZE, Switches};

/// The parsed query.
pub struct Query {
    pairs: Vec<(String, String)>,
}

/// One condition on a property.
pub struct Filter {
    /// The property.
    pub property: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy)]
enum Operator {
    Equals,
    NotEquals,
    Less,
    Greater,
    StartsWith,
    Contains,
}

impl Query {
    /// Reads a raw query; anything is taken.
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// Whether a flag is there: without a value, or `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.is_empty() || value.eq_ignore_ascii_case("true"))
    }

    /// The value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether disabled objects are wanted.
    pub fn disabled(&self) -> bool {
        self.flag("disabled") || self.flag("includeDisabled")
    }

    /// The items of a comma-separated parameter.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.value(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    /// How many objects to skip and how many to give.
    pub fn page(&self, switches: &Switches) -> Result<(usize, usize), RestError> {
        let number = |name: &str| -> Result<Option<usize>, RestError> {
            let Some(text) = self.value(name) else { return Ok(None) };
            text.parse().map(Some).map_err(|_| RestError::property(name, "a number was expected"))
        };
        let limit = |switch| usize::try_from(switches.number(switch)).unwrap_or(usize::MAX);
        let (page, size) = (number("page")?, number("size")?);
        if size == Some(0) {
            return Err(RestError::property("size", "a number above 0 was expected"));
        }
        let mut size = match (page, size) {
            (_, Some(size)) => size,
            (Some(_), None) => limit(&PAGE_SIZE).max(1),
            (None, None) => return Ok((0, usize::MAX)),
        };
        if limit(&MAX_PAGE_SIZE) > 0 {
            size = size.min(limit(&MAX_PAGE_SIZE));
        }
        Ok((page.unwrap_or(0).saturating_mul(size), size))
    }

    /// Conditions on properties of a type: `name='v'` or `name=op:'v'`. The quotes may be missing, as the package
    /// milestonexprotectrestpython writes them (its notes are from a live system). A quoted value of an unknown property
    /// is an error, any other unknown parameter is ignored.
    pub fn filters(&self, kind: &Type) -> Result<Vec<Filter>, RestError> {
        let mut filters = Vec::new();
        for (property, text) in &self.pairs {
            let (operator, value, quoted) = condition(text);
            let known = kind.field(property).is_some() || property == "displayName";
            if quoted && !known {
                return Err(RestError::property(property, "no such property"));
            }
            if known {
                filters.push(Filter { property: property.clone(), operator, value: value.to_owned() });
            }
        }
        Ok(filters)
    }
}

impl Filter {
    /// Whether a value meets the condition. Text compares without regard to case, as the VMS's database does.
    pub fn admits(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.to_lowercase(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let wanted = self.value.to_lowercase();
        let order = match (value.as_f64(), wanted.parse::<f64>()) {
            (Some(number), Ok(wanted)) => number.partial_cmp(&wanted),
            _ => Some(text.as_str().cmp(wanted.as_str())),
        };
        match self.operator {
            Operator::Equals => order == Some(Ordering::Equal),
            Operator::NotEquals => order != Some(Ordering::Equal),
            Operator::Less => order == Some(Ordering::Less),
            Operator::Greater => order == Some(Ordering::Greater),
            Operator::StartsWith => text.starts_with(&wanted),
            Operator::Contains => text.contains(&wanted),
        }
    }
}

/// Operator and value of a condition, and whether the value stands in quotes.
fn condition(text: &str) -> (Operator, &str, bool) {
    let operator = |name: &str| {
        Some(match name {
            "lt" => Operator::Less,
            "gt" => Operator::Greater,
            "notEquals" => Operator::NotEquals,
            "startsWith" => Operator::StartsWith,
            "contains" => Operator::Contains,
            "equals" => Operator::Equals,
            _ => return None,
        })
    };
    // An unquoted value may hold a colon of its own.
    let split = text.split_once(':').and_then(|(name, value)| Some((operator(name)?, value)));
    let (operator, value) = split.unwrap_or((Operator::Equals, text));
    match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => (operator, inner, true),
        None => (operator, value, false),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::rest::table;

    fn admits(query: &str, value: Value) -> bool {
        let filters = Query::parse(query).filters(table::find("cameras").unwrap()).unwrap();
        filters.first().unwrap().admits(&value)
    }

    #[test]
    fn filters_compare() {
        assert!(admits("name=%27Gate%201%27", json!("gate 1")));
        assert!(!admits("name=notEquals:'Gate'", json!("gate")));
        assert!(admits("name=startsWith:'Ga'", json!("gate")) && admits("name=contains:'at'", json!("gate")));
        assert!(admits("channel=lt:'10'", json!(9)) && !admits("channel=gt:'10'", json!(9)));
        assert!(admits("lastModified=gt:'2025-01-01'", json!("2025-01-31T08:15:30.1230000Z")));
        assert!(admits("enabled='true'", json!(true)));
        assert!(admits("name=Gate%201", json!("gate 1")) && admits("name=contains:01", json!("Camera 01")));
        assert!(admits("name=a:b", json!("A:B")) && !admits("name=a", json!("ab")));
    }

    #[test]
    fn unknown_parameters_are_ignored_unless_they_filter() {
        let cameras = table::find("cameras").unwrap();
        assert!(Query::parse("_=123&disabled").filters(cameras).unwrap().is_empty());
        assert!(Query::parse("colour='red'").filters(cameras).is_err());
    }

    #[test]
    fn pages() {
        let page = |query: &str| Query::parse(query).page(&Switches::default());
        assert_eq!(page("").unwrap(), (0, usize::MAX));
        assert_eq!(page("page=2&size=10").unwrap(), (20, 10));
        assert_eq!(page("page=1").unwrap(), (100, 100));
        assert!(page("page=-1").is_err() && page("size=0").is_err() && page("size=x").is_err());
        assert!(page(&format!("page={}&size=5", usize::MAX)).is_ok());
    }
}
