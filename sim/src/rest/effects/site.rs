//! Tasks on the site and its owner.

use serde_json::{Map, Value, json};

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{World, ids},
};

const GONE: &str = "The object is gone.";
/// Hidden member of the site: unfinished uploads.
const UPLOADS: &str = "_uploads";
/// Uploads at a time, and bytes of one.
const MOST_UPLOADS: usize = 100;
const MOST_BYTES: i64 = 64 << 20;

/// `ClientLogOnSupported{clientApplicationType, userName}`: whether a role of the user allows that kind of client.
pub fn log_on_supported(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let kind = task.text("clientApplicationType").to_ascii_lowercase();
    let flag = match kind.as_str() {
        kind if kind.contains("mobile") => "allowMobileClientLogOn",
        kind if kind.contains("web") => "allowWebClientLogOn",
        _ => "allowSmartClientLogOn",
    };
    let name = task.text("userName").to_lowercase();
    let users = world.store.all("users").filter(|user| user.text("accountName").to_lowercase() == name);
    let allows = |id: &String| {
        let roles =
            world.store.all("roles").filter(|role| world.store.members(&role.id, "users").contains(id));
        roles.into_iter().any(|role| role.fields.get(flag) != Some(&Value::Bool(false)))
    };
    let supported = users.map(|user| &user.id).any(allows).into();
    Ok(Effected { result: Map::from_iter([("supported".to_owned(), supported)]), ..Effected::default() })
}

/// `UploadFileChunk{transferId, offset, size, chunkData}`: the parts of a file come in order.
pub fn upload(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let number = |name: &str| task.parameters.get(name).and_then(Value::as_i64).unwrap_or(-1);
    let (offset, size) = (number("offset"), number("size"));
    let length = i64::try_from(task.text("chunkData").len()).unwrap_or(i64::MAX);
    let site = world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?;
    let mut uploads = site.fields.get(UPLOADS).and_then(Value::as_object).cloned().unwrap_or_default();
    let transfer = task.text("transferId");
    let received = uploads.get(transfer).and_then(Value::as_i64).unwrap_or(0);
    if offset != received {
        return Err(format!("Bad request: offset {received} was expected"));
    }
    if uploads.len() >= MOST_UPLOADS || size < 0 || length > size.saturating_mul(2).saturating_add(4) {
        return Err("Bad request: the part does not fit its size".to_owned());
    }
    let received = received.saturating_add(size);
    if received > MOST_BYTES {
        return Err("Bad request: the file is too large".to_owned());
    }
    uploads.insert(transfer.to_owned(), received.into());
    site.set(UPLOADS, uploads);
    Ok(Effected { result: Map::from_iter([("received".to_owned(), received.into())]), ..Effected::default() })
}

/// `AddBasicOwnerInfo{tagType, tagValue}`: a new member like `[guid]/address.Name` (sheet 3.6).
pub fn add_owner_info(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let owner = world.store.get_mut("owner", task.target.1).ok_or(GONE)?;
    let name = format!("[{}]/{}", ids::fresh(), task.text("tagType"));
    owner.set(&name, task.text("tagValue"));
    Ok(Effected {
        result: Map::from_iter([("itemSelection".to_owned(), json!(name))]),
        ..Effected::default()
    })
}

/// `RemoveBasicOwnerInfo{itemSelection}`.
pub fn remove_owner_info(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let owner = world.store.get_mut("owner", task.target.1).ok_or(GONE)?;
    match owner.fields.shift_remove(task.text("itemSelection")) {
        Some(_) => Ok(Effected::default()),
        None => Err("Bad request: there is no such information".to_owned()),
    }
}
