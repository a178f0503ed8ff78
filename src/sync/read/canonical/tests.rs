#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sync::catalogue::field::Notation;

const PLAIN: Form<'_> = Form { spelling: Spelling::Plain, without: &[] };
const TEXTS: Form<'_> = Form { spelling: Spelling::Texts, without: &[] };
const ID: &str = "0E1B0AD3-F67C-4D5F-B792-4BD6C3CF52F8";

fn of(value: Value, shape: &Shape) -> String {
    match written(&value, shape, PLAIN) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(unlike) => format!("! {unlike}"),
    }
}

fn old(value: Value, shape: &Shape) -> String {
    written(&value, shape, TEXTS).map(|b| String::from_utf8(b).unwrap()).unwrap()
}

fn set(inner: Shape) -> Shape {
    Shape::Set(Box::new(inner))
}

#[test]
fn one_form_for_each_value() {
    for (value, shape, canonical) in [
        (json!("Gate \"1\"\n"), Shape::Text, r#""Gate \"1\"\n""#),
        (json!(format!("x {ID}")), Shape::Text, r#""x 0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8""#),
        (json!(5), Shape::Number, "5"),
        (json!(5.0), Shape::Number, "5"),
        (json!(5.0), Shape::Integer, "5"),
        (json!(-0.0), Shape::Number, "0"),
        (json!(0.25), Shape::Number, "0.25"),
        (json!(true), Shape::Flag, "true"),
        (json!("2025-01-31T03:15:30.5-05:00"), Shape::Date, r#""2025-01-31T08:15:30.5000000Z""#),
        (json!("0001-01-01T00:00:00"), Shape::Date, "null"),
        (json!(ID), Shape::Guid, r#""0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8""#),
        (json!("00000000-0000-0000-0000-000000000000"), Shape::Guid, "null"),
        (json!("1"), Shape::Word(vec!["0", "1"]), r#""1""#),
        (
            json!({"b": [1.0, null], "a": {"d": false, "c": ""}}),
            Shape::Any,
            r#"{"a":{"c":"","d":false},"b":[1,null]}"#,
        ),
        (json!(["b", "a", "b"]), set(Shape::Text), r#"["a","b"]"#),
        (json!(["b", "a", "b"]), Shape::List(Box::new(Shape::Text)), r#"["b","a","b"]"#),
        (
            json!([{"type": "cameras", "id": ID}, {"type": "cameras", "id": Guid::NIL.to_string()}]),
            set(Shape::Reference(Notation::Object, "cameras")),
            r#"["0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8"]"#,
        ),
    ] {
        assert_eq!(of(value.clone(), &shape), canonical, "{value}");
    }
}

#[test]
fn members_that_differ_by_nature_are_left_out() {
    let form = Form { without: &["id"], ..PLAIN };
    let items = json!([{"id": 1, "x": {"id": 2}}, {"id": 3}]);
    let bytes = written(&items, &Shape::List(Box::new(Shape::Any)), form).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), r#"[{"x":{"id":2}},{}]"#);
}

#[test]
fn differences_in_words() {
    for (value, shape, words) in [
        (json!("true"), Shape::Flag, "! text instead of boolean"),
        (json!(0), Shape::Text, "! number instead of text"),
        (json!(null), Shape::Text, "! null instead of text"),
        (json!("5"), Shape::Number, "! text instead of number"),
        (json!(5.5), Shape::Integer, "! fraction instead of whole number"),
        (json!("x"), Shape::Date, "! not a readable date"),
        (json!("1234"), Shape::Guid, "! not a readable GUID"),
        (json!(0), Shape::Word(vec!["0"]), "! number instead of text"),
        (json!("X"), Shape::Word(vec!["0"]), "! unknown value \"X\""),
        (json!([]), Shape::Any, "! list instead of object"),
        (json!(0), Shape::Any, "! number instead of object"),
        (json!({}), set(Shape::Any), "! object instead of list"),
        (json!([1]), set(Shape::Text), "! number instead of text"),
    ] {
        assert_eq!(of(value.clone(), &shape), words, "{value}");
    }
    let long = of(json!("x".repeat(1000)), &Shape::Word(vec![]));
    assert!(long.len() < 80, "{long}");
}

#[test]
fn old_versions_write_texts() {
    assert_eq!(old(json!("True"), &Shape::Flag), "true");
    assert_eq!(old(json!("False"), &Shape::Flag), "false");
    assert_eq!(old(json!("5.0"), &Shape::Number), "5");
    assert_eq!(old(json!("0.5"), &Shape::Number), "0.5");
    assert!(written(&json!("inf"), &Shape::Number, TEXTS).is_err());
    assert!(written(&json!("yes"), &Shape::Flag, TEXTS).is_err());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-100_i64..100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-cA-C0-9 ä\"-]{0,12}".prop_map(Value::from),
        any::<[u8; 16]>().prop_map(|bytes| Guid::new(bytes).to_string().into()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("[a-e]{1,3}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Another way to write the same.
fn respelt(value: &Value, turn: usize) -> Value {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => json!(whole as f64),
            None => value.clone(),
        },
        Value::String(text) => match text.parse::<Guid>() {
            Ok(_) => text.to_uppercase().into(),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| respelt(item, turn)).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(k, v)| (k.clone(), respelt(v, turn))).collect();
            let middle = turn % members.len().max(1);
            members.rotate_left(middle);
            Value::Object(members.into_iter().collect())
        }
        other => other.clone(),
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let one = prop_oneof![
        Just(Shape::Text),
        Just(Shape::Integer),
        Just(Shape::Number),
        Just(Shape::Flag),
        Just(Shape::Date),
        Just(Shape::Guid),
        Just(Shape::Any),
        Just(Shape::Word(vec!["0", "a"])),
        Just(Shape::Reference(Notation::Object, "cameras")),
        Just(Shape::Reference(Notation::Bare, "any")),
    ];
    one.prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Shape::List(Box::new(inner))),
            inner.prop_map(|inner| Shape::Set(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn the_order_of_members_the_case_of_ids_and_the_writing_of_numbers_do_not_matter(
        value in json_value(),
        turn in 0_usize..5,
    ) {
        let canonical = |value: &Value| {
            let mut out = Vec::new();
            write_any(value, Spelling::Plain, &mut out);
            out
        };
        let bytes = canonical(&value);
        prop_assert_eq!(&canonical(&respelt(&value, turn)), &bytes);
        // It is JSON, and its own canonical form.
        let again: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(canonical(&again), bytes);
    }

    #[test]
    fn the_order_of_a_set_and_its_doubles_do_not_matter(
        items in proptest::collection::vec(json_value(), 0..6),
        turn in 0_usize..6,
    ) {
        let members = |items: &[Value]| {
            let each = |item: &Value| {
                let mut out = Vec::new();
                write_any(item, Spelling::Plain, &mut out);
                out
            };
            let mut out = Vec::new();
            write_set(items.iter().map(each).collect(), &mut out);
            out
        };
        let mut other = items.clone();
        other.rotate_left(turn % items.len().max(1));
        other.extend(items.first().cloned());
        prop_assert_eq!(members(&items), members(&other));
    }

    /// Nothing panics, and what is written is JSON.
    #[test]
    fn any_value_of_any_shape(value in json_value(), shape in shape(), texts: bool) {
        if let Ok(bytes) = written(&value, &shape, if texts { TEXTS } else { PLAIN }) {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }
}
