//! From one TOML value to one checked value: everything that can be wrong with it alone.
//!
//! No message repeats a text that could hold a secret (a URL with a password, for example).

mod net;
mod time;

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::complaint::At;
use super::keys::Kind;
use super::types::Origin;
use net::{address, host, network, origin, prefix, url_path};
pub use time::show as show_time;
use time::{day_time, time};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<T> {
    pub(super) value: T,
    pub(super) at: At,
}

/// A checked value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(u32),
    Time(Duration),
    Address(Option<SocketAddr>),
    Origin(Origin),
    Texts(Vec<Item<String>>),
    Origins(Vec<Item<Origin>>),
    Networks(Vec<Item<IpNet>>),
}

/// Why a value was refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) at: At,
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// What a text was refused for: the problem and the remedy.
type Wrong = (String, String);

fn wrong<T>(problem: impl Into<String>, remedy: impl Into<String>) -> Result<T, Wrong> {
    Err((problem.into(), remedy.into()))
}

/// What to write instead of a bare number or flag.
fn quoted_example(kind: Kind) -> &'static str {
    match kind {
        Kind::Time { .. } => "write a number and its unit in quotes, for example \"500ms\"",
        Kind::Address | Kind::AddressOrOff => {
            "write address and port in quotes, for example \"127.0.0.1:8443\""
        }
        _ => "put it in quotes",
    }
}

/// Checks a TOML value against the kind of its key.
pub(super) fn parse(kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<Value, Vec<Refused>> {
    let at = value.span().start;
    let one = |r: Result<Value, Wrong>| r.map_err(|(problem, remedy)| vec![Refused { at, problem, remedy }]);
    match kind {
        Kind::Flag => {
            one(value.get_ref().as_bool().map(Value::Flag).ok_or_else(|| mistyped(value, "true or false")))
        }
        Kind::Number { min, max } => one(number(value, min, max)),
        Kind::Text | Kind::Path => text(kind, value, |s| Ok(Value::Text(s.to_owned()))),
        Kind::Name => text(kind, value, |s| name(s).map(Value::Text)),
        Kind::Time { min, max } => text(kind, value, |s| time(s, min, max).map(Value::Time)),
        Kind::Choice(words) => text(kind, value, |s| choice(s, words).map(Value::Text)),
        Kind::Address => text(kind, value, |s| address(s).map(|a| Value::Address(Some(a)))),
        Kind::AddressOrOff if value.get_ref().as_str() == Some("") => Ok(Value::Address(None)),
        Kind::AddressOrOff => text(kind, value, |s| address(s).map(|a| Value::Address(Some(a)))),
        Kind::Origin => text(kind, value, |s| origin(s).map(Value::Origin)),
        Kind::UrlPath => text(kind, value, |s| url_path(s).map(Value::Text)),
        Kind::DayTime => text(kind, value, |s| day_time(s).map(Value::Text)),
        Kind::Origins => list(value, origin).map(Value::Origins),
        Kind::Hosts => list(value, host).map(Value::Texts),
        Kind::HostsOrAny => {
            list(value, |s| if s == "*" { Ok(s.to_owned()) } else { host(s) }).map(Value::Texts)
        }
        Kind::Networks => list(value, network).map(Value::Networks),
        Kind::Texts => list(value, non_empty).map(Value::Texts),
        Kind::Prefixes => list(value, prefix).map(Value::Texts),
        Kind::Choices(words) => list(value, |s| choice(s, words)).map(Value::Texts),
        // Tables have keys of their own; the reader never asks for their value.
        Kind::Table => one(Err(mistyped(value, "a table"))),
    }
}

fn text(
    kind: Kind,
    value: &Spanned<DeValue<'_>>,
    check: impl Fn(&str) -> Result<Value, Wrong>,
) -> Result<Value, Vec<Refused>> {
    let result = match value.get_ref().as_str() {
        Some(s) => check(s),
        None if matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
            wrong(format!("this is {}, not text", type_name(value)), quoted_example(kind))
        }
        None => Err(mistyped(value, "text in quotes")),
    };
    result.map_err(|(problem, remedy)| vec![Refused { at: value.span().start, problem, remedy }])
}

fn list<T>(
    value: &Spanned<DeValue<'_>>,
    check: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<Vec<Item<T>>, Vec<Refused>> {
    let refused = |at, (problem, remedy)| Refused { at, problem, remedy };
    let Some(array) = value.get_ref().as_array() else {
        return Err(vec![refused(value.span().start, mistyped(value, "a list such as [\"...\"]"))]);
    };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for entry in array.iter() {
        let at = entry.span().start;
        let result = match entry.get_ref().as_str() {
            Some(s) => check(s),
            None => Err(mistyped(entry, "text in quotes")),
        };
        match result {
            Ok(value) => good.push(Item { value, at }),
            Err(w) => bad.push(refused(at, w)),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

fn mistyped(value: &Spanned<DeValue<'_>>, wanted: &str) -> Wrong {
    (format!("this is {}", type_name(value)), format!("write {wanted}"))
}

pub(super) fn type_name(value: &Spanned<DeValue<'_>>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn non_empty(s: &str) -> Result<String, Wrong> {
    if s.trim().is_empty() { wrong("this is empty", "write a text or remove it") } else { Ok(s.to_owned()) }
}

fn number(value: &Spanned<DeValue<'_>>, min: u32, max: u32) -> Result<Value, Wrong> {
    let Some(number) = value.get_ref().as_integer() else {
        return Err(mistyped(value, "a whole number without quotes"));
    };
    let parsed =
        i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|n| u32::try_from(n).ok());
    match parsed {
        Some(n) if (min..=max).contains(&n) => Ok(Value::Number(n)),
        _ => wrong(format!("{number} is out of range"), format!("write a number from {min} to {max}")),
    }
}

fn choice(s: &str, words: &[&str]) -> Result<String, Wrong> {
    if words.contains(&s) {
        return Ok(s.to_owned());
    }
    let quoted: Vec<String> = words.iter().map(|w| format!("{w:?}")).collect();
    wrong(format!("{} is not possible here", quote(s)), format!("write {}", alternatives(&quoted)))
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

/// The text in quotes, escaped, and not endless.
pub(super) fn quote(s: &str) -> String {
    const LONGEST: usize = 60;
    if s.chars().count() <= LONGEST {
        format!("{s:?}")
    } else {
        format!("{:?}...", s.chars().take(LONGEST).collect::<String>())
    }
}

/// The text may be a name.
pub(super) fn is_name(s: &str) -> bool {
    name(s).is_ok()
}

/// A key as it may stand in a message: in quotes unless it is plain.
pub(super) fn bare(key: &str) -> String {
    if is_name(key) { key.to_owned() } else { quote(key) }
}

fn name(s: &str) -> Result<String, Wrong> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if s.is_empty() {
        wrong("the name is empty", "write letters, digits, '.', '_' or '-'")
    } else if s.len() > 64 {
        wrong("the name is longer than 64 characters", "shorten it; it is in every metric and log line")
    } else if !s.chars().all(valid) {
        wrong(format!("{} is not a name", quote(s)), "use only letters, digits, '.', '_' and '-'")
    } else {
        Ok(s.to_owned())
    }
}
