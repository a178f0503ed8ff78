//! Tasks on users and roles.

use serde_json::json;

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World, ids},
};

/// `ChangePasswordBasicUser`.
pub fn change_password(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let account = world.accounts.by_id(task.target.1).ok_or("The user has no password here.")?;
    account.password = task.text("password").to_owned();
    account.failures = 0;
    if let Some(user) = world.store.get_mut("basicUsers", task.target.1) {
        user.set("lastModified", task.now.wire());
        user.set("forcePasswordChange", false);
    }
    Ok(Effected::default())
}

/// `AddRoleMember{sid}`.
pub fn add_role_member(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    if let Some(windows) = world.accounts.windows_by_sid(task.text("sid")) {
        let id = windows.user.clone();
        world.store.add_member(task.target.1, "users", &id);
        touch(world, task);
        return Ok(Effected::default());
    }
    let account = world.accounts.by_sid(task.text("sid")).ok_or("Bad request: no user has this sid")?;
    let id = account.sid.to_ascii_lowercase();
    if world.store.get("users", &id).is_none() {
        let user = Object::new("users", id.clone()).with(json!({
            "accountName": account.name,
            "domain": "[BASIC]",
            "identityType": "BasicUser",
            "sid": account.sid,
        }));
        world.store.insert(user);
    }
    world.store.add_member(task.target.1, "users", &id);
    touch(world, task);
    Ok(Effected::default())
}

/// `RemoveRoleMember{itemSelection}`.
pub fn remove_role_member(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let role = world.store.get("roles", task.target.1).ok_or("The role is gone.")?;
    let last = world.store.members(&role.id, "users").len() == 1;
    if role.built_in && last {
        return Err("Bad request: the last administrator cannot be removed".to_owned());
    }
    if !world.store.remove_member(task.target.1, "users", task.path_id("itemSelection")) {
        return Err("Bad request: the user is not a member of the role".to_owned());
    }
    touch(world, task);
    Ok(Effected::default())
}

/// `CopyRole{itemSelection, name, description}`: members and rights are copied.
pub fn copy_role(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let from = world.store.get("roles", task.path_id("itemSelection")).ok_or("The role is gone.")?.clone();
    let name = task.text("name").to_lowercase();
    if world.store.all("roles").any(|role| role.text("name").to_lowercase() == name) {
        return Err("Bad request: the name is in use".to_owned());
    }
    let id = ids::fresh();
    let members = world.store.members(&from.id, "users").to_vec();
    let mut copy = Object { id: id.clone(), built_in: false, ..from };
    for (field, value) in [
        ("name", task.text("name")),
        ("description", task.text("description")),
        ("lastModified", &task.now.wire()),
        ("roleType", "UserDefined"),
    ] {
        copy.set(field, value);
    }
    world.store.insert(copy);
    world.store.set_members(&id, "users", members);
    world.grants.copy(task.path_id("itemSelection"), &id);
    Ok(Effected { made: Some(("roles", id)), ..Effected::default() })
}

fn touch(world: &mut World, task: &Invocation<'_>) {
    if let Some(role) = world.store.get_mut("roles", task.target.1) {
        role.set("lastModified", task.now.wire());
    }
}
