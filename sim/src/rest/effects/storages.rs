//! Tasks on storages and archives.

use serde_json::Value;

use super::{GONE, SECRET, reply};
use crate::{
    rest::{
        show, single, table,
        tasks::{Effected, Invocation},
    },
    world::{Object, World},
};

/// `SetStorageAsDefault`: the other storages of the server stop being it.
pub fn set_default(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = world.store.get("storages", task.target.1).ok_or(GONE)?;
    let (_, server) = storage.parent.clone().ok_or(GONE)?;
    let siblings: Vec<String> = world.store.children("storages", &server).map(|s| s.id.clone()).collect();
    for id in siblings {
        if let Some(storage) = world.store.get_mut("storages", &id) {
            storage.set("isDefault", id == task.target.1);
            storage.set("lastModified", task.now.wire());
        }
    }
    Ok(Effected::default())
}

/// `EnableEncryption{encryptionMethod, password}`.
pub fn encrypt(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = changed(world, task)?;
    if is_encrypted(storage) {
        return Err("Bad request: the storage is encrypted already".to_owned());
    }
    storage.set("encryptionMethod", task.text("encryptionMethod"));
    storage.set(SECRET, task.text("password"));
    Ok(Effected::default())
}

/// `ChangeEncryptionMethod{encryptionMethod, password}`.
pub fn change_method(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    unlock(world, task, "password")?.set("encryptionMethod", task.text("encryptionMethod"));
    Ok(Effected::default())
}

/// `ValidateStorageEncryptionPassword{password}`.
pub fn validate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = world.store.get("storages", task.target.1).ok_or(GONE)?;
    check(storage, task.text("password"))?;
    Ok(Effected::default())
}

/// `DisableEncryption{password}`.
pub fn decrypt(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = unlock(world, task, "password")?;
    storage.set("encryptionMethod", "None");
    storage.fields.shift_remove(SECRET);
    Ok(Effected::default())
}

/// `ChangePasswordStorageEncryption{password, newPassword}`.
pub fn change_password(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    unlock(world, task, "password")?.set(SECRET, task.text("newPassword"));
    Ok(Effected::default())
}

/// `MoveRecordingStorage{diskPath}` and `MoveArchiveStorage{diskPath}`.
pub fn relocate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = changed(world, task)?;
    if storage.text("diskPath").eq_ignore_ascii_case(task.text("diskPath")) {
        return Err("VMO60277: The storage is there already.".to_owned());
    }
    storage.set("diskPath", task.text("diskPath"));
    Ok(Effected::default())
}

/// `MountArchiveStorage`.
pub fn mount(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    mounted(world, task, true)
}

/// `UnmountArchiveStorage`.
pub fn unmount(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    mounted(world, task, false)
}

fn mounted(world: &mut World, task: &Invocation<'_>, on: bool) -> Result<Effected, String> {
    changed(world, task)?.set("mounted", on);
    let kind = table::find("archiveStorageInformation").ok_or(GONE)?;
    single::keep(world, kind, task.target.1);
    if let Some(information) = world.store.get_mut(kind.name(), task.target.1) {
        information.set("isMounted", on);
        information.set("isAvailable", on);
        information.set("lastUpdated", task.now.wire());
    }
    Ok(Effected::default())
}

/// `SetFramerateReductionArchiveStorage{framerateReductionEnabled, targetFramerate}`.
pub fn reduce_framerate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let archive = changed(world, task)?;
    for name in ["framerateReductionEnabled", "targetFramerate"] {
        if let Some(value) = task.parameters.get(name) {
            archive.set(name, value.clone());
        }
    }
    Ok(Effected::default())
}

/// `ReadArchiveStorageInformation`: what `/archiveStorageInformation/{id}` says.
pub fn information(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let kind = table::find("archiveStorageInformation").ok_or(GONE)?;
    let information = single::find(world, kind, task.target.1).ok_or(GONE)?;
    let mut shown = show::object(kind, &information);
    shown.retain(|name, _| kind.field(name).is_some());
    Ok(reply("archiveStorageInformation", Value::Object(shown)))
}

fn changed<'w>(world: &'w mut World, task: &Invocation<'_>) -> Result<&'w mut Object, String> {
    let storage = world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?;
    storage.set("lastModified", task.now.wire());
    Ok(storage)
}

fn unlock<'w>(world: &'w mut World, task: &Invocation<'_>, password: &str) -> Result<&'w mut Object, String> {
    let storage = world.store.get("storages", task.target.1).ok_or(GONE)?;
    check(storage, task.text(password))?;
    changed(world, task)
}

fn check(storage: &Object, password: &str) -> Result<(), String> {
    if !is_encrypted(storage) {
        return Err("Bad request: the storage is not encrypted".to_owned());
    }
    if storage.text(SECRET) != password {
        return Err("Bad request: the password is wrong".to_owned());
    }
    Ok(())
}

fn is_encrypted(storage: &Object) -> bool {
    !matches!(storage.text("encryptionMethod"), "" | "None")
}
