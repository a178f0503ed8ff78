//! Tasks on roles: who has access, and the profiles of a role.

use serde_json::{Map, Value, json};

use crate::{
    identity::Role,
    rest::tasks::{Effected, Invocation},
    rights,
    world::{Object, World},
};

const GONE: &str = "The role is gone.";
/// Hidden members of a role; an object that they name is in use.
const TIME_PROFILE: &str = "_timeProfile";
const CLIENT_PROFILE: &str = "_clientProfile";

/// `QueryUsersWithAccess{queryUsersWithAccessPath, includeAdministrators, includeGroups}`.
pub fn users_with_access(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (kind, id) = task.text("queryUsersWithAccessPath").split_once('/').unwrap_or_default();
    let object = world.store.get(kind, id).ok_or("Bad request: there is no such object")?;
    let wants = |name: &str| task.parameters.get(name) == Some(&Value::Bool(true));
    let has_access = |role: &&Object| match world.rights_of_role(&role.id) {
        Role::Administrators => wants("includeAdministrators"),
        rights => rights::sees(world, rights, object),
    };
    let mut users: Vec<&String> = Vec::new();
    for member in
        world.store.all("roles").filter(has_access).flat_map(|r| world.store.members(&r.id, "users"))
    {
        let user = world.store.get("users", member);
        let is_group = user.is_some_and(|user| user.text("identityType") == "WindowsGroup");
        if !users.contains(&member) && (!is_group || wants("includeGroups")) {
            users.push(member);
        }
    }
    let list = users.into_iter().map(|id| json!({ "type": "users", "id": id })).collect();
    Ok(Effected { result: Map::from_iter([("users".to_owned(), list)]), ..Effected::default() })
}

/// `QueryIsPermittedTimeBasedAction{actionId, relatedObjectPath}`: by the caller's rights; no public material says how
/// time profiles count.
pub fn is_permitted(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (kind, id) = task.text("relatedObjectPath").split_once('/').unwrap_or_default();
    let mask = rights::mask(world, world.role_of(task.caller), world.store.get(kind, id));
    let bit = rights::action(task.text("actionId"));
    if bit == 0 {
        return Err("Bad request: there is no such action".to_owned());
    }
    let permitted = (mask & bit != 0).into();
    Ok(Effected { result: Map::from_iter([("isPermitted".to_owned(), permitted)]), ..Effected::default() })
}

/// `SetClientTimeProfile{itemSelection}`.
pub fn set_time_profile(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, TIME_PROFILE)
}

/// `SetClientProfile{itemSelection}`.
pub fn set_client_profile(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, CLIENT_PROFILE)
}

/// `GetClientTimeProfile`: without one it is always.
pub fn time_profile(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let role = world.store.get("roles", task.target.1).ok_or(GONE)?;
    let path = role.text(TIME_PROFILE);
    let path = if path.is_empty() { "timeProfiles/00000000-0000-0000-0000-000000000000" } else { path };
    let result = Map::from_iter([("itemSelection".to_owned(), path.into())]);
    Ok(Effected { result, ..Effected::default() })
}

fn set(world: &mut World, task: &Invocation<'_>, member: &str) -> Result<Effected, String> {
    if world.rights_of_role(task.target.1) == Role::Administrators {
        return Err("Bad request: the administrators cannot be changed".to_owned());
    }
    let role = world.store.get_mut("roles", task.target.1).ok_or(GONE)?;
    role.set(member, task.text("itemSelection"));
    role.set("lastModified", task.now.wire());
    Ok(Effected::default())
}
