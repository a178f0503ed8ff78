//! Which objects of two simulators are the same, worked out from their own lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::client::{get, login};
use crate::support::sim::Sim;

/// Type, id on A, id on B.
pub type Links = BTreeSet<(String, String, String)>;

const DEVICES: [&str; 6] = ["cameras", "microphones", "speakers", "metadata", "inputEvents", "outputs"];
const GROUPS: [&str; 6] = [
    "cameraGroups",
    "microphoneGroups",
    "speakerGroups",
    "metadataGroups",
    "inputEventGroups",
    "outputGroups",
];
const NAMED: [&str; 5] =
    ["timeProfiles", "userDefinedEvents", "analyticsEvents", "genericEvents", "alarmDefinitions"];

/// Every list of a simulator that matters here, as one answer each.
pub async fn lists(sim: &Sim) -> BTreeMap<&'static str, Vec<Value>> {
    let token = login(&sim.http()).await;
    let mut all = BTreeMap::new();
    for kind in ["hardware", "roles"].into_iter().chain(DEVICES).chain(GROUPS).chain(NAMED) {
        let path = format!("/API/rest/v1/{kind}?disabled");
        let list = sim.http().send(get(&path).bearer(&token)).await.unwrap().expect(200).json();
        all.insert(kind, list["array"].as_array().unwrap().clone());
    }
    all
}

/// What must be linked: whatever has the same key, if only one object on each side has it.
pub async fn expected(a: &Sim, b: &Sim) -> Links {
    let (a, b) = (lists(a).await, lists(b).await);
    let mut links = Links::new();
    for kind in a.keys().filter(|k| **k != "roles") {
        let (left, right) = (keyed(kind, &a), keyed(kind, &b));
        for (key, ids) in &left {
            if let ([one], Some([other])) = (&ids[..], right.get(key).map(|v| &v[..]))
                && one != other
            {
                links.insert(((*kind).to_owned(), one.clone(), other.clone()));
            }
        }
    }
    links
}

/// Whether this oracle knows anything about a type.
pub fn is_judged(kind: &str) -> bool {
    kind == "hardware" || DEVICES.contains(&kind) || GROUPS.contains(&kind) || NAMED.contains(&kind)
}

fn keyed(kind: &str, lists: &BTreeMap<&'static str, Vec<Value>>) -> BTreeMap<String, Vec<String>> {
    let mut keyed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for object in &lists[kind] {
        let key = if kind == "hardware" {
            word(object, "address")
        } else if DEVICES.contains(&kind) {
            let parent = by_id(&lists["hardware"], &object["relations"]["parent"]["id"]).unwrap();
            format!("{} {}", word(parent, "address"), object["channel"])
        } else if GROUPS.contains(&kind) {
            path(object, &lists[kind])
        } else {
            word(object, "name")
        };
        keyed.entry(key).or_default().push(word(object, "id"));
    }
    keyed
}

fn path(group: &Value, all: &[Value]) -> String {
    let own = word(group, "name");
    match by_id(all, &group["relations"]["parent"]["id"]) {
        Some(parent) => format!("{}/{own}", path(parent, all)),
        None => own,
    }
}

fn by_id<'a>(all: &'a [Value], id: &Value) -> Option<&'a Value> {
    all.iter().find(|o| o["id"] == *id)
}

fn word(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap().to_lowercase()
}
