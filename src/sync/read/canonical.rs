//! Values in canonical form: two of them are alike exactly if their bytes are. Pure.
//!
//! Members are sorted, sets are sorted and without doubles, 5.0 is 5, references are GUIDs, GUIDs are
//! in lower case wherever they stand, so that they can be translated later.

use std::fmt;

use serde_json::{Map, Number, Value};

use super::reference;
use super::stamp::Stamp;
use crate::idmap::guid::{Guid, lower_all};
use crate::sync::catalogue::field::Shape;

/// How an instance writes booleans and fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As JSON has them.
    Plain,
    /// Maybe as text, `"True"` and `"0.5"`, as before 2022 R2 (sheet 3.1).
    Texts,
}

/// How a field is written.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// By this instance.
    pub spelling: Spelling,
    /// Members of an object, or of the objects in a list, that are left out.
    pub without: &'a [&'static str],
}

/// How a value differs from what it should look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlike {
    /// Another JSON type: found, expected.
    Type(&'static str, &'static str),
    /// A text that is none of these.
    No(&'static str),
    /// None of the known words.
    Word(String),
    /// A reference to one type instead of another.
    Target(String, String),
}

impl Unlike {
    /// Found this value instead of something.
    pub(super) fn other(found: &Value, wanted: &'static str) -> Self {
        Self::Type(json_type(found), wanted)
    }
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(found, wanted) => write!(f, "{found} instead of {wanted}"),
            Self::No(what) => write!(f, "not a readable {what}"),
            Self::Word(word) => write!(f, "unknown value {:?}", start(word)),
            Self::Target(found, wanted) => write!(f, "refers to {} instead of {wanted}", start(found)),
        }
    }
}

/// Appends the value in canonical form.
///
/// # Errors
/// It does not have this shape. Something has been appended then.
pub fn write(value: &Value, shape: &Shape, form: Form<'_>, out: &mut Vec<u8>) -> Result<(), Unlike> {
    match shape {
        Shape::Text => match value {
            Value::String(text) => write_text(text, out),
            other => return Err(Unlike::other(other, "text")),
        },
        Shape::Integer => match number(value, form.spelling, "whole number")? {
            number if is_whole(&number) => write_number(&number, out),
            _ => return Err(Unlike::Type("fraction", "whole number")),
        },
        Shape::Number => write_number(&number(value, form.spelling, "number")?, out),
        Shape::Flag => write_flag(flag(value, form.spelling)?, out),
        Shape::Date => match value.as_str().map(|text| (text, Stamp::parse(text))) {
            Some(("", _)) => write_null(out),
            Some((_, Some(stamp))) if stamp.is_unset() => write_null(out),
            Some((_, Some(stamp))) => write_text(&stamp.to_string(), out),
            Some((_, None)) => return Err(Unlike::No("date")),
            None => return Err(Unlike::other(value, "date")),
        },
        Shape::Guid => match value.as_str().map(|text| (text, text.parse::<Guid>())) {
            Some(("", _) | (_, Ok(Guid::NIL))) => write_null(out),
            Some((_, Ok(guid))) => write_text(&guid.to_string(), out),
            Some((_, Err(_))) => return Err(Unlike::No("GUID")),
            None => return Err(Unlike::other(value, "GUID")),
        },
        Shape::Word(words) => {
            let word = value.as_str().ok_or_else(|| Unlike::other(value, "text"))?;
            match words.contains(&word) {
                true => write_text(word, out),
                false => return Err(Unlike::Word(word.to_owned())),
            }
        }
        Shape::Reference(_, target) => match reference::canonical(value, target)? {
            Some(text) => write_text(&text, out),
            None => write_null(out),
        },
        Shape::Any => match value {
            Value::Object(members) => write_members(members, form.without, form.spelling, out),
            // Settings of clients, as XML for the most part.
            Value::String(text) => write_text(text, out),
            other => return Err(Unlike::other(other, "object")),
        },
        Shape::List(inner) => {
            let items = items(value, "list")?.map(|item| written(item, inner, form));
            write_items(items.collect::<Result<_, _>>()?, out);
        }
        Shape::Set(inner) => {
            let items = items(value, "list")?.map(|item| written(item, inner, form));
            write_set(items.collect::<Result<_, _>>()?, out);
        }
    }
    Ok(())
}

/// The value in canonical form.
///
/// # Errors
/// It does not have this shape.
pub fn written(value: &Value, shape: &Shape, form: Form<'_>) -> Result<Vec<u8>, Unlike> {
    let mut out = Vec::new();
    write(value, shape, form, &mut out).map(|()| out)
}

/// Appends a value of no known shape.
pub fn write_any(value: &Value, spelling: Spelling, out: &mut Vec<u8>) {
    match value {
        Value::Null => write_null(out),
        Value::Bool(flag) => write_flag(*flag, out),
        Value::Number(number) => write_number(number, out),
        // Where booleans are texts, nobody can tell them from texts, and these are none (sheet 3.1).
        Value::String(text) if spelling == Spelling::Texts && text == "True" => write_flag(true, out),
        Value::String(text) if spelling == Spelling::Texts && text == "False" => write_flag(false, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            let each = |item| {
                let mut out = Vec::new();
                write_any(item, spelling, &mut out);
                out
            };
            write_items(items.iter().map(each).collect(), out);
        }
        Value::Object(members) => write_members(members, &[], spelling, out),
    }
}

/// Appends items that are in canonical form as a set.
pub fn write_set(mut items: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    // What refers to nothing is no member.
    items.retain(|item| item != b"null");
    items.sort_unstable();
    items.dedup();
    write_items(items, out);
}

/// Appends a text, with the GUIDs in it in lower case.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &lower_all(text));
}

/// A number as both `5` and `5.0` are written.
fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        // Of both signs.
        Some(0.0) => "0".to_owned(),
        Some(float) if number.is_f64() && is_whole(number) && float.abs() < EXACT => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    out.extend(canonical_number(number).into_bytes());
}

fn write_flag(flag: bool, out: &mut Vec<u8>) {
    out.extend(if flag { b"true".as_slice() } else { b"false" });
}

fn write_null(out: &mut Vec<u8>) {
    out.extend(b"null");
}

fn write_items(items: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend(item);
    }
    out.push(b']');
}

fn write_members(members: &Map<String, Value>, without: &[&str], spelling: Spelling, out: &mut Vec<u8>) {
    let mut names: Vec<&String> = members.keys().filter(|name| !without.contains(&name.as_str())).collect();
    names.sort_unstable();
    out.push(b'{');
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write_any(members.get(name).unwrap_or(&Value::Null), spelling, out);
    }
    out.push(b'}');
}

fn items<'v>(value: &'v Value, wanted: &'static str) -> Result<std::slice::Iter<'v, Value>, Unlike> {
    value.as_array().map(|items| items.iter()).ok_or_else(|| Unlike::other(value, wanted))
}

fn number(value: &Value, spelling: Spelling, wanted: &'static str) -> Result<Number, Unlike> {
    let read = match value {
        Value::Number(number) => Some(number.clone()),
        // Only what is a number in JSON, too: no blanks, no infinity.
        Value::String(text) if spelling == Spelling::Texts => serde_json::from_str(text).ok(),
        _ => None,
    };
    read.ok_or_else(|| Unlike::other(value, wanted))
}

fn flag(value: &Value, spelling: Spelling) -> Result<bool, Unlike> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if spelling == Spelling::Texts && text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if spelling == Spelling::Texts && text.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(Unlike::other(other, "boolean")),
    }
}

fn is_whole(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

const fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Enough of a text to know it.
pub(super) fn start(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// Whole numbers below are exact as fractions.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Characters of a foreign text.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests;
