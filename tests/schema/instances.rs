//! What instances of several versions list against the catalogue: every object has the fields that are not optional,
//! in their shapes, and none that nobody has written down.

use std::collections::BTreeSet;

use gatekeeper::sync::catalogue::field::{Class, Field, Notation, Shape};
use gatekeeper::sync::catalogue::{Kind as Type, MemberForm, Place};
use serde_json::Value;

use crate::support::client::{Call, Http, call, password_grant};
use crate::support::sim::Sim;

/// Members of every object.
const EVERYWHERE: [&str; 2] = ["displayName", "relations"];
/// What older versions do not have.
const NEWER: [&str; 3] = ["alarmPriorities", "alarmCategories", "securityNamespaces"];

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_several_versions_look_as_the_catalogue_says() {
    for (version, missing) in [("25.2", &[][..]), ("24.1", &NEWER[2..]), ("22.1", &NEWER[..])] {
        let sim = Sim::plain("a", &["--version", version]);
        let mut reader = Reader::new(sim.http()).await;
        for kind in Type::all() {
            reader.read(kind).await;
        }
        assert_eq!(reader.absent, missing.iter().copied().collect(), "{version}");
        let complaints: Vec<&String> = reader.complaints.iter().collect();
        assert!(complaints.is_empty(), "{version}: {complaints:#?}");
        // Most types of the simulated site have objects.
        assert!(reader.seen.len() > 50, "{version}: only {:?}", reader.seen);
    }
}

struct Reader {
    http: Http,
    token: String,
    ids: Vec<(Type, String)>,
    absent: BTreeSet<&'static str>,
    seen: BTreeSet<&'static str>,
    /// Each once.
    complaints: BTreeSet<String>,
}

impl Reader {
    async fn new(http: Http) -> Self {
        let reply = http.send(password_grant("admin", "admin-password")).await.unwrap();
        let token = reply.expect(200).json()["access_token"].as_str().unwrap().to_owned();
        let (absent, seen, complaints) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { http, token, ids: Vec::new(), absent, seen, complaints }
    }

    async fn read(&mut self, kind: Type) {
        let (row, name) = (kind.row(), kind.as_str());
        let lists = match row.place {
            Place::Top => vec![name.to_owned()],
            Place::Below(parent) => self.below(parent, name),
            Place::Unread(_) => return,
        };
        for list in lists {
            let Some(objects) = self.list(&list).await else {
                self.absent.insert(name);
                continue;
            };
            for object in objects {
                self.object(kind, &object);
            }
        }
        for members in row.members {
            for list in self.below(name, members.list) {
                let entries = self.list(&list).await.unwrap_or_else(|| panic!("no {list}"));
                for entry in entries {
                    let named = match members.form {
                        MemberForm::Id => ["id", "id"],
                        MemberForm::Account => ["accountName", "identityType"],
                        MemberForm::Claim => ["claimName", "claimValue"],
                        MemberForm::Name => ["name", "name"],
                    };
                    let complete = named.iter().all(|n| entry[n].is_string());
                    assert!(complete, "{list}: {entry}");
                }
            }
        }
    }

    fn below(&self, parent: &str, list: &str) -> Vec<String> {
        let ids = self.ids.iter().filter(|(kind, _)| kind.as_str() == parent);
        ids.map(|(kind, id)| format!("{kind}/{id}/{list}")).collect()
    }

    /// `None`: 404.
    async fn list(&self, path: &str) -> Option<Vec<Value>> {
        let asked: Call = call("GET", &format!("/API/rest/v1/{path}?disabled")).bearer(&self.token);
        let reply = self.http.send(asked).await.unwrap();
        if reply.status == 404 {
            return None;
        }
        Some(reply.expect(200).json()["array"].as_array().unwrap().clone())
    }

    fn object(&mut self, kind: Type, object: &Value) {
        let (row, name) = (kind.row(), kind.as_str());
        let own = &object["relations"]["self"]["id"];
        let id = own.as_str().or_else(|| object["id"].as_str()).unwrap_or_else(|| panic!("{kind}: {object}"));
        self.ids.push((kind, id.to_owned()));
        self.seen.insert(name);
        let members = object.as_object().unwrap();
        for field in row.fields.iter().filter(|f| row.members.iter().all(|m| m.list != f.name)) {
            let complaint = match members.get(field.name) {
                None | Some(Value::Null) if field.optional => None,
                None => Some("is missing".to_owned()),
                Some(_) if field.class == Class::Secret => Some("is shown".to_owned()),
                Some(value) => mismatch(field, value),
            };
            self.complaints.extend(complaint.map(|c| format!("{kind}.{} {c}", field.name)));
        }
        if !row.open {
            let unknown =
                members.keys().filter(|m| row.field(m).is_none() && !EVERYWHERE.contains(&m.as_str()));
            self.complaints.extend(unknown.map(|m| format!("{kind}.{m} is not in the catalogue")));
        }
        if let Some(within) = row.within.filter(|within| *within != name) {
            let parent = &object["relations"]["parent"]["type"];
            if parent != within {
                self.complaints.insert(format!("{kind} is within {parent}, not {within}"));
            }
        }
    }
}

/// Old versions write booleans and numbers as text (sheet 3.1).
fn mismatch(field: &Field, value: &Value) -> Option<String> {
    fn fits(shape: &Shape, value: &Value) -> bool {
        let text = value.as_str();
        match shape {
            Shape::Text | Shape::Date => text.is_some(),
            Shape::Integer => value.is_i64() || text.is_some_and(|t| t.parse::<i64>().is_ok()),
            Shape::Number => value.is_number() || text.is_some_and(|t| t.parse::<f64>().is_ok()),
            Shape::Flag => value.is_boolean() || matches!(text, Some("True" | "False")),
            Shape::Guid | Shape::Reference(Notation::Bare, _) => text.is_some_and(is_guid),
            Shape::Word(words) => text.is_some_and(|t| words.contains(&t)),
            Shape::Reference(Notation::Object, target) => {
                let right = *target == "any" || value["type"] == **target;
                right && value["id"].as_str().is_some_and(is_guid)
            }
            Shape::Reference(Notation::Path, _) => {
                text.and_then(|t| t.split_once('/')).is_some_and(|(_, id)| is_guid(id))
            }
            Shape::Reference(Notation::Item, _) => {
                let id = text.and_then(|t| t.strip_suffix(']')?.split_once('['));
                id.is_some_and(|(_, id)| is_guid(id))
            }
            Shape::Any => true,
            Shape::List(inner) | Shape::Set(inner) => {
                value.as_array().is_some_and(|list| list.iter().all(|item| fits(inner, item)))
            }
        }
    }
    (!fits(&field.shape, value)).then(|| format!("does not have its shape: {value}"))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}
