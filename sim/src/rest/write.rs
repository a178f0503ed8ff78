//! POST, PUT and PATCH of objects (sheet 3.3).

use ::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Answer, Call, Outcome, RestError,
    field::{Field, Kind, guid},
    finish,
    read::visible,
    references, rules,
    shape::{merged, merged_list},
    show,
    table::Type,
    wizard,
};
use crate::{
    rights,
    switches::{CLIENT_IDS, PUT_MISSING},
    world::{Object, World, ids},
};

/// `POST /type`, or below a parent.
pub fn create(
    call: &Call<'_>,
    world: &mut World,
    kind: &'static Type,
    parent: Option<(&'static str, String)>,
) -> Outcome {
    if parent.is_none() {
        call.verb(kind.row.collection, 'P')?;
    }
    call.may_write()?;
    let body = call.json()?;
    if kind.has("wizard") {
        wizard::check(&body)?;
    }
    let parent = match parent {
        Some(parent) => parent,
        None => named_parent(call, world, kind, &body)?,
    };
    let mut fields = accepted(call, world, kind, &body, true)?;
    unique(world, kind, &fields, None)?;
    let id = match body.get("id").and_then(Value::as_str).and_then(guid) {
        Some(id) if kind.has("client-ids") || call.settings.switches.on(&CLIENT_IDS) => {
            if world.store.get(kind.name(), &id).is_some() {
                return Err(RestError::property("id", "the id is in use"));
            }
            id
        }
        _ => ids::fresh(),
    };
    let password = secret(kind, &mut fields);
    let mut object = Object::new(kind.name(), id.clone()).below(parent.0, &parent.1).with(fields.into());
    object.physical = world.store.get(parent.0, &parent.1).and_then(|parent| parent.physical);
    rules::check(world, kind, &object)?;
    if kind.field("createdDate").is_some() {
        object.set("createdDate", call.now.wire());
    }
    finish::object(call, world, kind, &mut object)?;
    finish::new(call, world, &mut object, password);
    let id = object.id.clone();
    let mut result = show::object(kind, &object);
    world.store.insert(object);
    finish::stored(call, world, kind.name(), &id);
    call.record(world, &body);
    for hidden in ["displayName", "relations"] {
        result.shift_remove(hidden);
    }
    // Create results write the id in upper case, the path in lower case (sheet 3.9).
    if !result.get("id").is_some_and(Value::is_number) {
        result.insert("id".to_owned(), id.to_uppercase().into());
    }
    result.insert("state".to_owned(), "Success".into());
    result.insert("path".to_owned(), json!({ "type": kind.name(), "id": id }));
    let status = if kind.has("post-200") { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Answer { status, body: json!({ "result": result }) })
}

/// `PUT` and `PATCH /type/{id}`.
pub fn update(call: &Call<'_>, world: &mut World, kind: &'static Type, id: &str) -> Outcome {
    let old = visible(call, world, kind, id)?;
    let put = call.method == Method::PUT;
    call.verb(kind.row.item, if put { 'U' } else { 'A' })?;
    call.may_change(world, kind.name(), &old.id)?;
    let untouchable = old.fields.get("builtIn") == Some(&Value::Bool(true))
        || old.built_in && matches!(kind.name(), "roles" | "eventTypes" | "stateGroups");
    if untouchable {
        return Err(RestError::bad(format!(
            "Bad request: {} is built in and cannot be changed",
            old.text("name")
        )));
    }
    let id = old.id.clone();
    let body = call.json()?;
    let fields = accepted(call, world, kind, &body, false)?;
    unique(world, kind, &fields, Some(&id))?;
    let reset = put && call.settings.switches.get(&PUT_MISSING) == "reset";
    let unlocked = fields.get("status").and_then(Value::as_str) == Some("Enabled");
    let mut object = old.into_owned();
    if reset {
        let keep = |name: &str| kind.field(name).is_none_or(|field| !field.writable() || field.required);
        object.fields.retain(|name, _| keep(name));
    }
    overwrite(kind, &mut object, fields);
    rules::check(world, kind, &object)?;
    finish::object(call, world, kind, &mut object)?;
    if kind.name() == "basicUsers" && unlocked {
        object.fields.remove("lockoutEnd");
    }
    let shown = show::object(kind, &object);
    world.store.put(object);
    finish::updated(world, kind.name(), &id);
    if unlocked && let Some(account) = world.accounts.by_id(&id) {
        account.failures = 0;
    }
    call.record(world, &body);
    Ok(Answer::ok(json!({ "data": shown })))
}

/// The checked values of a body; what is unknown or read-only is ignored (sheet 3.3).
pub fn accepted(
    call: &Call<'_>,
    world: &World,
    kind: &Type,
    body: &Map<String, Value>,
    creating: bool,
) -> Result<Map<String, Value>, RestError> {
    let mut accepted = checked(call, world, &kind.fields, body, creating)?;
    if kind.has("open") {
        let more = body.iter().filter(|(name, _)| kind.is_extra(name));
        accepted.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(accepted)
}

/// Writes checked values over the stored ones.
fn overwrite(kind: &Type, object: &mut Object, fields: Map<String, Value>) {
    for (name, new) in fields {
        let old = object.fields.get(&name);
        let value = match kind.field(&name).map(|field| (&field.kind, field)) {
            Some((Kind::Embedded(_), _)) => merged(old, new),
            Some((Kind::EmbeddedList(_), field)) => {
                merged_list(old.or(Some(&field.default)), new, field.read_only)
            }
            _ => new,
        };
        object.fields.insert(name, value);
    }
}

/// The checked values of a body for a list of fields.
pub fn checked(
    call: &Call<'_>,
    world: &World,
    fields: &[Field],
    body: &Map<String, Value>,
    creating: bool,
) -> Result<Map<String, Value>, RestError> {
    let mut accepted = Map::new();
    for field in fields {
        let settable = if creating { field.settable_at_creation() } else { field.writable() };
        let Some(given) = body.get(field.name).filter(|_| settable) else {
            if creating && field.required {
                return Err(RestError::property(field.name, "a value is needed"));
            }
            continue;
        };
        let value = field
            .accept(given, call.old_style())
            .map_err(|why| RestError::property(why.property, why.to_string()))?;
        if field.required && value == "" {
            return Err(RestError::property(field.name, "it must not be empty"));
        }
        for (target, id) in references::of(field, &value) {
            let found = references::find(world, target, id);
            if !found.is_some_and(|object| rights::sees(world, call.caller.role, object)) {
                return Err(RestError::property(field.name, format!("{target}/{id} was not found")));
            }
        }
        accepted.insert(field.name.to_owned(), value);
    }
    Ok(accepted)
}

/// The parent of a new object: `relations.parent` if the type nests, else the site.
fn named_parent(
    call: &Call<'_>,
    world: &World,
    kind: &'static Type,
    body: &Map<String, Value>,
) -> Result<(&'static str, String), RestError> {
    let site = || ("sites", world.store.all("sites").next().map(|site| site.id.clone()).unwrap_or_default());
    if !kind.is_below(kind.name()) {
        return Ok(site());
    }
    let Some(parent) = body.get("relations").and_then(|relations| relations.get("parent")) else {
        return Ok(site());
    };
    let named = parent.get("type").and_then(Value::as_str).zip(parent.get("id").and_then(Value::as_str));
    match named {
        Some((name, _)) if name.eq_ignore_ascii_case("sites") => Ok(site()),
        Some((name, id)) if name.eq_ignore_ascii_case(kind.name()) => {
            let parent =
                visible(call, world, kind, id).map_err(|_| RestError::property("parent", "not found"))?;
            Ok((kind.name(), parent.id.clone()))
        }
        _ => Err(RestError::property("parent", "a reference was expected")),
    }
}

/// Takes the secret out of the fields: it is kept elsewhere.
fn secret(kind: &Type, fields: &mut Map<String, Value>) -> String {
    let name = kind.fields.iter().find(|field| field.kind == Kind::Password).map(|field| field.name);
    name.and_then(|name| fields.shift_remove(name))
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Refuses a name that another object of the type has, for types whose names are unique.
pub fn unique(
    world: &World,
    kind: &Type,
    fields: &Map<String, Value>,
    except: Option<&str>,
) -> Result<(), RestError> {
    let Some(name) = fields.get("name").and_then(Value::as_str).filter(|_| kind.has("unique")) else {
        return Ok(());
    };
    let same = |object: &Object| object.text("name").to_lowercase() == name.to_lowercase();
    let taken = world.store.all(kind.name()).any(|object| same(object) && Some(object.id.as_str()) != except);
    if taken { Err(RestError::property("name", "the name is in use")) } else { Ok(()) }
}
