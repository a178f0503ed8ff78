//! Embedded objects: the `<x>` of the sheet (3.6).

use serde_json::{Map, Value};

use super::{
    field::{Field, Refusal},
    rows::shapes,
};

/// One embedded type as the sheet lists it.
pub struct ShapeRow {
    /// Its name in the notation of [`super::field`].
    pub name: &'static str,
    /// Its members, in the same notation.
    pub fields: &'static str,
    /// Whether it has more members than the listed ones (driver-dependent or dynamic keys); they are kept as they
    /// come.
    pub open: bool,
}

/// A row, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its members in order.
    pub fields: Vec<Field>,
    open: bool,
}

impl Shape {
    /// Reads the shape of that name.
    pub fn named(name: &str) -> Option<Self> {
        let row = shapes().find(|row| row.name == name)?;
        let fields = row.fields.split_whitespace().map(Field::parse).collect::<Option<_>>()?;
        Some(Self { fields, open: row.open })
    }

    /// Whether any member can be written.
    pub fn writable(&self) -> bool {
        self.open || self.fields.iter().any(Field::writable)
    }

    /// An object of nothing but defaults.
    pub fn default(&self) -> Value {
        self.completed(Value::Object(Map::new()))
    }

    /// The object with the defaults of what it lacks, in the order of the fields.
    pub fn completed(&self, value: Value) -> Value {
        let Value::Object(mut given) = value else { return value };
        let mut members = Map::new();
        for field in &self.fields {
            let value = given.shift_remove(field.name).unwrap_or_else(|| field.default.clone());
            if !value.is_null() {
                members.insert(field.name.to_owned(), value);
            }
        }
        members.extend(given);
        members.into()
    }

    /// Checks a written object; what is unknown or read-only is ignored, as at the top level.
    pub fn accept(&self, owner: &'static str, value: &Value, old_booleans: bool) -> Result<Value, Refusal> {
        let Value::Object(given) = value else { return Err(Refusal::expected(owner, "an object")) };
        let mut accepted = Map::new();
        for (name, value) in given {
            match self.fields.iter().find(|field| field.name == name) {
                Some(field) if field.writable() => {
                    accepted.insert(name.clone(), field.accept(value, old_booleans)?);
                }
                None if self.open => {
                    accepted.insert(name.clone(), value.clone());
                }
                Some(_) | None => {}
            }
        }
        Ok(accepted.into())
    }
}

/// What was stored with what was written over it: a write names only some members, and none of the read-only ones.
pub fn merged(old: Option<&Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let mut members = old.clone();
            members.extend(new);
            members.into()
        }
        (_, new) => new,
    }
}

/// [`merged`] for each item of a list at its position. The items of a fixed list are neither added nor removed.
pub fn merged_list(old: Option<&Value>, new: Value, fixed: bool) -> Value {
    let Value::Array(new) = new else { return new };
    let old = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut list: Vec<Value> =
        new.into_iter().enumerate().map(|(index, item)| merged(old.get(index), item)).collect();
    if fixed {
        list.truncate(old.len());
        list.extend(old.iter().skip(list.len()).cloned());
    }
    list.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_is_read() {
        for row in shapes() {
            assert!(Shape::named(row.name).is_some(), "{}", row.name);
            assert_eq!(shapes().filter(|other| other.name == row.name).count(), 1, "{} twice", row.name);
        }
    }

    #[test]
    fn members_are_checked() {
        let shape = Shape::named("patrollingEntry").unwrap();
        assert_eq!(shape.accept("x", &json!({ "order": 1, "other": 2 }), false), Ok(json!({ "order": 1 })));
        let refused = shape.accept("x", &json!({ "order": "1" }), false).unwrap_err();
        assert_eq!(refused.property, "order");
        let open = Shape::named("generalSettings").unwrap();
        assert_eq!(open.accept("x", &json!({ "other": [2] }), false), Ok(json!({ "other": [2] })));
    }

    #[test]
    fn writes_keep_what_they_do_not_name() {
        let old = json!([{ "a": 1, "b": 2 }, { "a": 3 }]);
        let new = json!([{ "a": 5 }]);
        assert_eq!(merged_list(Some(&old), new.clone(), false), json!([{ "a": 5, "b": 2 }]));
        assert_eq!(merged_list(Some(&old), new, true), json!([{ "a": 5, "b": 2 }, { "a": 3 }]));
        assert_eq!(merged_list(None, json!([{}]), true), json!([]));
    }
}
