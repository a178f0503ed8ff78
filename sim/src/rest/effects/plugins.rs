//! Tasks on access control and on the options of MIP plug-ins.

use serde_json::{Map, Value, json};

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World},
};

const GONE: &str = "The object is gone.";
/// Hidden member of the site: options that plug-ins keep.
const OPTIONS: &str = "_options";
/// Options that are kept.
const MOST: usize = 1000;

/// `GetInternalUnitPath{externalId}`: the unit with that id or name, anywhere below the system.
pub fn unit_path(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let wanted = task.text("externalId").to_lowercase();
    let fits = |unit: &Object| unit.id == wanted || unit.text("name").to_lowercase() == wanted;
    let mut parents = vec![task.target.1.to_owned()];
    while let Some(parent) = parents.pop() {
        for unit in world.store.children("accessControlUnits", &parent) {
            if fits(unit) {
                let path = format!("accessControlUnits/{}", unit.id).into();
                return Ok(Effected {
                    result: Map::from_iter([("unitPath".to_owned(), path)]),
                    ..Effected::default()
                });
            }
            parents.push(unit.id.clone());
        }
    }
    Err("Bad request: the system has no such unit".to_owned())
}

/// `GetMIPOptionProperty{optionId, userPrivate}`; an option that nobody set is empty.
pub fn option(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let site = world.store.all("sites").next().ok_or(GONE)?;
    let found = site.fields.get(OPTIONS).and_then(|options| options.get(key(task)));
    let found = found.cloned().unwrap_or_else(|| json!({ "xML": "", "dataVersion": 0 }));
    match found {
        Value::Object(result) => Ok(Effected { result, ..Effected::default() }),
        _ => Err(GONE.to_owned()),
    }
}

/// `SetMIPOptionProperty{optionId, userPrivate, xML, dataVersion}`.
pub fn set_option(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let site = world.store.all("sites").next().ok_or(GONE)?.id.clone();
    let site = world.store.get_mut("sites", &site).ok_or(GONE)?;
    let mut options = site.fields.get(OPTIONS).and_then(Value::as_object).cloned().unwrap_or_default();
    let key = key(task);
    if options.len() >= MOST && !options.contains_key(&key) {
        return Err("Bad request: too many options".to_owned());
    }
    let version = task.parameters.get("dataVersion").and_then(Value::as_i64).unwrap_or(1);
    options.insert(key, json!({ "xML": task.text("xML"), "dataVersion": version }));
    site.set(OPTIONS, options);
    Ok(Effected::default())
}

/// Private options are kept for each user.
fn key(task: &Invocation<'_>) -> String {
    let private = task.parameters.get("userPrivate") == Some(&Value::Bool(true));
    format!("{}/{}", task.text("optionId").to_ascii_lowercase(), if private { task.caller } else { "" })
}
