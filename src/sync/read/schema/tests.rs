#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ID: &str = "1F846A47-7521-5BF6-AD48-CD0B1AC2D8A0";
const OTHER: &str = "2f846a47-7521-5bf6-ad48-cd0b1ac2d8a0";

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

fn read(name: &str, value: &Value, accepted: &[&str]) -> Result<Object, Vec<String>> {
    let accepted = Accepted::from([(kind(name), accepted.iter().map(|text| (*text).to_owned()).collect())]);
    let mut schema = Schema::new(kind(name), Spelling::Plain, &accepted);
    let draft = schema.read(value, None);
    match schema.finish() {
        Ok(_) => Ok(draft.unwrap().finish()),
        Err(Distrust::Schema(differences)) => {
            assert_eq!(draft, None);
            Err(differences)
        }
        Err(other) => Err(vec![other.to_string()]),
    }
}

fn event() -> Value {
    json!({
        "displayName": "Door", "createdDate": "2024-05-02T10:11:12.1300000Z", "id": ID, "name": "Door",
        "lastModified": "2025-01-31T08:15:30.1230000Z", "subtype": null,
        "relations": { "self": { "type": "userDefinedEvents", "id": ID } },
    })
}

fn group() -> Value {
    json!({
        "id": ID, "name": "North", "builtIn": false, "description": "", "lastModified": "2025-01-31T08:15:30.1230000Z",
        "relations": { "parent": { "type": "sites", "id": OTHER } },
    })
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

fn without(mut object: Value, field: &str) -> Value {
    object.as_object_mut().unwrap().remove(field);
    object
}

#[test]
fn an_object_of_sync() {
    let object = read("userDefinedEvents", &event(), &[]).unwrap();
    assert_eq!((object.id, &*object.name), (ID.parse().unwrap(), "Door"));
    assert_eq!(object.modified_ms, Some(1_738_311_330_123));
    assert_eq!((object.parent, object.builtin), (None, false));
    assert_eq!(object.body.fields().get("name"), Some(&json!("Door")));
    // Local and derived fields differ by nature.
    for field in ["id", "lastModified", "createdDate", "displayName", "relations"] {
        assert_eq!(object.body.fields().get(field), None, "{field}");
    }
}

#[test]
fn every_difference_in_words() {
    for (object, difference) in [
        (without(event(), "name"), "name: missing"),
        (with(event(), "name", json!(null)), "name: null"),
        (with(event(), "name", json!(0)), "name: number instead of text"),
        (with(event(), "name", "x".repeat(5000).into()), "name: longer than 4096 bytes"),
        (with(event(), "colour", json!("unknown")), "colour: unknown field"),
        (with(event(), "id", Guid::NIL.to_string().into()), "id: not an id"),
        (with(event(), "id", json!("33")), "id: not a readable GUID"),
        (with(event(), "lastModified", json!(0)), "lastModified: number instead of date"),
        (json!(7), "object: number instead of object"),
    ] {
        let differences = read("userDefinedEvents", &object, &[]).unwrap_err();
        assert!(differences.contains(&difference.to_owned()), "{differences:?} of {object}");
    }
    let both = with(without(event(), "name"), "colour", json!(1));
    assert_eq!(
        read("userDefinedEvents", &both, &[]).unwrap_err(),
        ["colour: unknown field", "name: missing"]
    );
}

#[test]
fn parents_of_trees() {
    assert_eq!(read("cameraGroups", &group(), &[]).unwrap().parent, None);
    let parent =
        |parent: Value| read("cameraGroups", &with(group(), "relations", json!({ "parent": parent })), &[]);
    let nested = parent(json!({ "type": "cameraGroups", "id": OTHER }));
    assert_eq!(nested.unwrap().parent, Some(OTHER.parse().unwrap()));
    for bad in [json!({ "type": "cameraGroups" }), json!(1), json!({ "type": "cameraGroups", "id": "1" })] {
        assert_eq!(parent(bad).unwrap_err(), ["relations.parent: missing"]);
    }
}

#[test]
fn what_a_person_has_accepted_is_no_longer_compared() {
    let object = with(group(), "description", json!(0));
    let words = "description: number instead of text";
    assert_eq!(read("cameraGroups", &object, &[]).unwrap_err(), [words]);
    for now in [&object, &group()] {
        let accepted = read("cameraGroups", now, &[words]).unwrap();
        assert_eq!(accepted.body.fields().get("description"), None);
    }
    // Something else about the same field is another matter.
    assert!(read("cameraGroups", &without(group(), "description"), &[words]).is_err());
    let unknown = with(group(), "colour", json!("red"));
    let accepted = read("cameraGroups", &unknown, &["colour: unknown field"]).unwrap();
    assert_eq!(accepted.body, read("cameraGroups", &group(), &[]).unwrap().body);
    // Without a name it is nobody.
    let nameless = without(group(), "name");
    assert!(read("cameraGroups", &nameless, &["name: missing"]).is_err());
}

#[test]
fn old_versions_and_built_in_ones() {
    let accepted = Accepted::new();
    let mut schema = Schema::new(kind("cameraGroups"), Spelling::Texts, &accepted);
    let draft = schema.read(&with(group(), "builtIn", json!("True")), None).unwrap();
    assert!(draft.finish().builtin);
    let known = with(group(), "id", json!("0E1B0AD3-F67C-4D5F-B792-4BD6C3CF52F8"));
    assert!(schema.read(&known, None).unwrap().finish().builtin);
    assert!(read("cameraGroups", &with(group(), "builtIn", json!("True")), &[]).is_err());
}

#[test]
fn one_difference_however_many_objects() {
    let accepted = Accepted::new();
    let mut schema = Schema::new(kind("userDefinedEvents"), Spelling::Plain, &accepted);
    for n in 0..1000 {
        assert_eq!(schema.read(&with(event(), &format!("field{n}"), json!(0)), None), None);
        assert_eq!(schema.read(&event(), None), None, "nothing is taken after a difference");
    }
    assert!(matches!(schema.finish(), Err(Distrust::Schema(differences)) if differences.len() == MOST));
}

/// Unknown parts of a rule are compared as they are.
#[test]
fn open_types() {
    let mut rule =
        json!({ "id": ID, "name": "Night", "start.DeviceIds": format!("Camera[{ID}]"), "nothing": null });
    for field in kind("rules").row().fields.iter().filter(|field| !["id", "name"].contains(&field.name)) {
        rule[field.name] = match &field.shape {
            Shape::Flag => json!(true),
            Shape::Word(words) => json!(words[0]),
            _ => json!(""),
        };
    }
    let fields = read("rules", &rule, &[]).unwrap().body.fields();
    assert_eq!(fields.get("start.DeviceIds"), Some(&json!(format!("Camera[{}]", ID.to_lowercase()))));
    assert_eq!(fields.get("nothing"), None);
}

proptest! {
    /// Whatever it is: nothing panics, and an object comes out only if nothing differs.
    #[test]
    fn any_json(fields in proptest::collection::vec(("[a-z]{1,6}|name|id|relations|builtIn", "[ -~]{0,20}"), 0..12)) {
        let mut object = Map::new();
        for (name, text) in fields {
            let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
            object.insert(name, value);
        }
        for kind in Kind::all() {
            let accepted = Accepted::new();
            let mut schema = Schema::new(kind, Spelling::Texts, &accepted);
            let draft = schema.read(&Value::Object(object.clone()), None);
            prop_assert_eq!(draft.is_some(), schema.finish().is_ok());
        }
    }
}
