//! `GET /effectivePermissions/{namespaceId}` (sheet 3.6, Security).

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, RestError, field::guid, table};
use crate::{identity::Role, rights, world::World};

/// What the caller, or the user or role in the query, may do with objects. Only administrators ask about others.
pub fn get(call: &Call<'_>, world: &World, id: &str) -> Outcome {
    let namespaces =
        call.find("securityNamespaces").map_err(|_| RestError::unknown_resource("effectivePermissions"))?;
    // Everybody may ask what he may do, also who sees no namespace.
    let namespace = world
        .store
        .get(namespaces.name(), &id.to_ascii_lowercase())
        .ok_or_else(|| RestError::not_found(namespaces.name(), id))?;
    let kind = table::find(namespace.text("resourceTypes")).map_or("", table::Type::name);
    let role = subject(call, world)?;
    let permission = |id: &str| {
        let object = world.store.get(kind, &id.to_ascii_lowercase());
        json!({ "id": id.to_ascii_lowercase(), "mask": rights::mask(world, role, object) })
    };
    let ids: Vec<&str> = call.query.list("objectIds").collect();
    if let Some(bad) = ids.iter().find(|id| guid(id).is_none()) {
        return Err(RestError::property("objectIds", format!("{bad} is not a GUID")));
    }
    let list: Vec<Value> = if call.query.value("objectIds").is_some() {
        ids.into_iter().map(permission).collect()
    } else {
        let seen = world.store.all(kind).filter(|object| rights::sees(world, role, object));
        seen.map(|object| permission(&object.id)).collect()
    };
    Ok(Answer::ok(json!({ "data": {
        "id": namespace.id,
        "isAdministrator": role == Role::Administrators,
        "objectPermissions": list,
    } })))
}

fn subject(call: &Call<'_>, world: &World) -> Result<Role, RestError> {
    let asked = |name| call.query.value(name).filter(|value| !value.is_empty());
    let (user, role) = (asked("userSid"), asked("roleId"));
    let own = user.is_some_and(|sid| sid.eq_ignore_ascii_case(&call.caller.sid)) && role.is_none();
    if user.is_none() && role.is_none() || own {
        return Ok(call.caller.role);
    }
    if call.caller.role != Role::Administrators {
        return Err(RestError::forbidden());
    }
    Ok(match (user, role) {
        (Some(sid), _) => world.role_of(sid),
        (None, Some(id)) => world.rights_of_role(&id.to_ascii_lowercase()),
        (None, None) => call.caller.role,
    })
}
