//! What roles may do. Without an action among the parameters these tasks say how it is.

use serde_json::{Map, Value};

use crate::{
    identity::Role,
    rest::tasks::{Effected, Invocation},
    rights,
    world::World,
};

const GONE: &str = "The object is gone.";
const TOO_MANY: &str = "Bad request: too many roles have rights of their own";

/// `ChangeSecurityPermissions{userPath, actions...}`.
pub fn on_object(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let role = task.path_id("userPath");
    let object = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    let mut mask = rights::own_mask(world, role, object);
    let only_read = !rights::action_names().any(|name| task.parameters.contains_key(name));
    if !only_read {
        alterable(world, role)?;
        for name in rights::action_names() {
            match task.parameters.get(name) {
                Some(Value::Bool(true)) => mask |= rights::action(name),
                Some(_) => mask &= !rights::action(name),
                None => {}
            }
        }
        world.grants.change(role).ok_or(TOO_MANY)?.set_object(task.target.1, mask);
        touch(world, role, task);
    }
    let allowed = |name: &str| (mask & rights::action(name) != 0).into();
    Ok(Effected { result: actions(allowed), only_read, ..Effected::default() })
}

/// `ChangeOverallSecurityPermissions{securityNamespace, actions...}` of a role.
pub fn overall(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let role = task.target.1;
    let namespace = world.store.get("securityNamespaces", task.text("securityNamespace"));
    let kind = namespace.map(|namespace| namespace.text("resourceTypes").to_owned());
    let kind = kind.ok_or("Bad request: there is no such security namespace")?;
    let is_admin = world.rights_of_role(role) == Role::Administrators;
    let mut overall = world.grants.get(role).map(|granted| granted.on_all(&kind)).unwrap_or_default();
    if is_admin {
        overall.allow = u32::MAX;
    }
    let only_read = !rights::action_names().any(|name| task.parameters.contains_key(name));
    if !only_read {
        alterable(world, role)?;
        for name in rights::action_names() {
            let Some(word) = task.parameters.get(name).and_then(Value::as_str) else { continue };
            let bit = rights::action(name);
            (overall.allow, overall.deny) = (overall.allow & !bit, overall.deny & !bit);
            match word {
                "Allow" => overall.allow |= bit,
                "Deny" => overall.deny |= bit,
                _ => {}
            }
        }
        world.grants.change(role).ok_or(TOO_MANY)?.set_all(&kind, overall);
        touch(world, role, task);
    }
    let word = |name: &str| match rights::action(name) {
        bit if overall.deny & bit != 0 => "Deny".into(),
        bit if overall.allow & bit != 0 => "Allow".into(),
        _ => "None".into(),
    };
    Ok(Effected { result: actions(word), only_read, ..Effected::default() })
}

fn actions(value: impl Fn(&str) -> Value) -> Map<String, Value> {
    rights::action_names().map(|name| (name.to_owned(), value(name))).collect()
}

fn alterable(world: &World, role: &str) -> Result<(), String> {
    if world.rights_of_role(role) == Role::Administrators {
        return Err("Bad request: the rights of the administrators cannot be changed".to_owned());
    }
    Ok(())
}

fn touch(world: &mut World, role: &str, task: &Invocation<'_>) {
    if let Some(role) = world.store.get_mut("roles", role) {
        role.set("lastModified", task.now.wire());
    }
}
