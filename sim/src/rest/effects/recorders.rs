//! Tasks on recording servers and failover groups.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{GONE, reply};
use crate::{
    rest::{
        facts,
        tasks::{Effected, Invocation},
    },
    world::{Object, World, ids},
};

/// Drives of the simulated machines.
const DRIVES: [&str; 2] = ["C:\\", "D:\\"];
/// Hidden member: directories that were made on a server.
const DIRECTORIES: &str = "_directories";
/// Devices that an express scan finds.
const FOUND: u64 = 3;

/// `HardwareScan{hardwareAddress, hardwareDriverIds, userName, password, useDefaultCredentials}`: any address that
/// could be one has a device behind it, which speaks the first of the drivers.
pub fn scan(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let address = task.text("hardwareAddress");
    if !address.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty())) {
        return Err("VMO60277: There is no device at the address.".to_owned());
    }
    let known = world.store.all("hardware").find(|hardware| hardware.text("address") == address);
    let here = known.and_then(|hardware| hardware.parent.as_ref()).is_some_and(|(_, id)| id == task.target.1);
    let mut result = found(world, task, address)?;
    result.insert("macAddressExistGlobal".to_owned(), known.is_some().into());
    result.insert("macAddressExistLocal".to_owned(), here.into());
    Ok(Effected { result, ..Effected::default() })
}

/// `HardwareScanExpress`: what answers in the recorder's own network and is not yet known.
pub fn scan_express(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let network = ids::dice(0, task.target.1, 0) % 250;
    let devices = (1..=FOUND).map(|host| format!("http://10.250.{network}.{host}/"));
    let free =
        devices.filter(|address| !world.store.all("hardware").any(|known| known.text("address") == address));
    let list =
        free.map(|address| found(world, task, &address).map(Value::from)).collect::<Result<Value, _>>()?;
    Ok(reply("hardware", list))
}

fn found(world: &World, task: &Invocation<'_>, address: &str) -> Result<Map<String, Value>, String> {
    let wanted: Vec<&str> = task.text("hardwareDriverIds").split(';').filter(|id| !id.is_empty()).collect();
    let number = |driver: &Object| driver.fields.get("number").map(Value::to_string).unwrap_or_default();
    let speaks = |driver: &&Object| wanted.is_empty() || wanted.contains(&number(driver).as_str());
    let driver = world.store.children("hardwareDrivers", task.target.1).find(speaks);
    let driver = driver.ok_or("VMO60277: The device speaks none of the drivers.")?;
    let known = world.store.all("hardware").find(|hardware| hardware.text("address") == address);
    let mac = known.map_or_else(|| facts::mac_at(address), facts::mac);
    let mut result = Map::new();
    result.insert("hardwareAddress".to_owned(), address.into());
    result.insert("hardwareDriverPath".to_owned(), format!("hardwareDrivers/{}", driver.id).into());
    result.insert("macAddress".to_owned(), mac.into());
    result.insert("hardwareScanValidated".to_owned(), true.into());
    Ok(result)
}

/// `ReadDrivesOnRecorder`.
pub fn drives(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    world.store.get("recordingServers", task.target.1).ok_or(GONE)?;
    Ok(reply("drives", DRIVES.map(|name| json!({ "name": name })).to_vec()))
}

/// `ReadDirectoriesOnRecorder{path}`.
pub fn directories(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let all = known(world, task.target.1)?;
    let path = whole(task.text("path"));
    if !all.contains(&path) {
        return Err("Bad request: the path does not exist".to_owned());
    }
    let inside: BTreeSet<String> = all
        .iter()
        .filter_map(|other| other.strip_prefix(&path)?.split('\\').next().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .collect();
    Ok(reply("directories", inside.into_iter().collect::<Vec<_>>()))
}

/// `CreateDirectoryOnRecorder{path}`: in one that is there.
pub fn create_directory(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let all = known(world, task.target.1)?;
    let path = whole(task.text("path"));
    let above = path.trim_end_matches('\\').rsplit_once('\\').map(|(above, _)| whole(above));
    if all.contains(&path) || above.is_none_or(|above| !all.contains(&above)) {
        return Err("Bad request: the directory exists, or the one above it does not".to_owned());
    }
    let server = world.store.get_mut("recordingServers", task.target.1).ok_or(GONE)?;
    let mut made = server.fields.get(DIRECTORIES).and_then(Value::as_array).cloned().unwrap_or_default();
    made.push(path.into());
    server.set(DIRECTORIES, made);
    Ok(Effected::default())
}

/// Every directory of a server, with a backslash at the end: what was made, and what storages need.
fn known(world: &World, server: &str) -> Result<BTreeSet<String>, String> {
    let object = world.store.get("recordingServers", server).ok_or(GONE)?;
    let made = object.fields.get(DIRECTORIES).and_then(Value::as_array).into_iter().flatten();
    let storages = world.store.children("storages", server).map(|storage| storage.text("diskPath"));
    let mut all: BTreeSet<String> = DRIVES.map(whole).into();
    for path in made.filter_map(Value::as_str).chain(storages) {
        let path = whole(path);
        all.extend(path.match_indices('\\').map(|(end, _)| path[..=end].to_owned()));
    }
    Ok(all)
}

fn whole(path: impl AsRef<str>) -> String {
    format!("{}\\", path.as_ref().trim_end_matches('\\'))
}

/// `MoveFailoverGroup{itemSelection, destinationFailoverGroup}`: a failover server goes to another group.
pub fn move_failover(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (recorder, group) = (task.path_id("itemSelection"), task.path_id("destinationFailoverGroup"));
    let position = world.store.children("failoverRecorders", group).count();
    world.store.reparent("failoverRecorders", recorder, "failoverGroups", group);
    let recorder = world.store.get_mut("failoverRecorders", recorder).ok_or(GONE)?;
    recorder.set("position", position);
    recorder.set("lastModified", task.now.wire());
    Ok(Effected::default())
}
