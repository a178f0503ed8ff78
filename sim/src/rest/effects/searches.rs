//! Tasks on saved searches.

use serde_json::{Map, Value};

use crate::{
    rest::{
        show, table,
        tasks::{Effected, Invocation},
    },
    world::{Object, World},
};

const GONE: &str = "Bad request: there is no such search";
/// More are never given at once.
const MOST: usize = 1000;

/// `UpdateSaveSearch{id, ...}`.
pub fn update(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let search = world.store.get_mut("saveSearches", task.text("id")).ok_or(GONE)?;
    for (name, value) in task.parameters.iter().filter(|(name, _)| *name != "id") {
        search.set(name, value.clone());
    }
    Ok(Effected::default())
}

/// `GetSaveSearch{id}`.
pub fn get(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let search = world.store.get("saveSearches", task.text("id")).ok_or(GONE)?;
    Ok(Effected { result: shown(search), ..Effected::default() })
}

/// `FindSaveSearches{keywordFilter, privateOnly, startIndex, count}`.
pub fn find(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let keyword = task.text("keywordFilter").to_lowercase();
    let private = task.parameters.get("privateOnly") == Some(&Value::Bool(true));
    let fits = |search: &&Object| {
        let named =
            ["name", "description"].into_iter().any(|f| search.text(f).to_lowercase().contains(&keyword));
        named && !(private && search.text("availability") == "Public")
    };
    let number = |name: &str| task.parameters.get(name).and_then(Value::as_u64);
    let start = usize::try_from(number("startIndex").unwrap_or(0)).unwrap_or(usize::MAX);
    let count = number("count").and_then(|count| usize::try_from(count).ok()).unwrap_or(MOST);
    let found = world.store.all("saveSearches").filter(fits).skip(start).take(count.min(MOST));
    let list = found.map(|search| Value::from(shown(search))).collect();
    Ok(Effected { result: Map::from_iter([("saveSearches".to_owned(), list)]), ..Effected::default() })
}

fn shown(search: &Object) -> Map<String, Value> {
    table::find("saveSearches").map(|kind| show::object(kind, search)).unwrap_or_default()
}
