//! The gatekeeper's `[sync]`, with what only an operator can know: which recording server and which storage
//! is the counterpart of which.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::Value;

use super::operator::text;
use super::person::{At, Person};

/// Its text. All are paired by their names but one storage, as if somebody had forgotten it.
pub async fn configuration(person: &mut Person) -> anyhow::Result<String> {
    let names = [person.name(At::Primary), person.name(At::Standby)];
    let (a, b) = (own(person, At::Primary).await?, own(person, At::Standby).await?);
    let mut pairs = Vec::new();
    for (key, id) in &a {
        let other = b.get(key).with_context(|| format!("{} has no {key:?}", names[1]))?;
        pairs.push((key, id, other));
    }
    if let Some(forgotten) = pairs.iter().rposition(|(key, ..)| key.2 == FORGOTTEN) {
        pairs.remove(forgotten);
    }
    let pair = |((kind, ..), a, b): (&Key, &String, &String)| {
        format!("[[sync.pair]]\ntype = \"{kind}\"\ninstances = {names:?}\nobjects = [\"{a}\", \"{b}\"]\n")
    };
    let mut out = format!("[sync]\nenabled = true\nbaseline = \"confirm\"\ninterval = \"{INTERVAL}\"\n");
    out.extend(pairs.into_iter().map(pair));
    Ok(out)
}

/// The type, the recording server's name, the storage's name or nothing.
type Key = (&'static str, String, String);

/// The ids of one side.
async fn own(person: &mut Person, at: At) -> anyhow::Result<BTreeMap<Key, String>> {
    let mut all = BTreeMap::new();
    let named = |object: &Value| (text(object, "name").to_owned(), text(object, "id").to_lowercase());
    for server in person.list(at, "recordingServers").await? {
        let (server, id) = named(&server);
        for storage in person.list(at, &format!("recordingServers/{id}/storages")).await? {
            let (storage, id) = named(&storage);
            all.insert(("storages", server.clone(), storage), id);
        }
        all.insert(("recordingServers", server, String::new()), id);
    }
    Ok(all)
}

/// How soon a change is seen.
pub const INTERVAL: &str = "1s";
/// The storage to which every device of a recording server records.
const FORGOTTEN: &str = "Local default";
