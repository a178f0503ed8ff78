//! Tasks on licence plates. An entry is a number and the values of the list's custom fields, all separated by commas; the
//! order of the fields is that of the list.

use serde_json::{Map, Value};

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World},
};

const GONE: &str = "The list is gone.";
/// Hidden member: the entries.
const ENTRIES: &str = "_entries";
/// Entries of a list.
const MOST: usize = 10_000;

/// `MethodIdGetCustomFieldsForRegistrationNumber{registrationNumber}`.
pub fn fields(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let list = world.store.get("lprMatchLists", task.target.1).ok_or(GONE)?;
    let number = task.text("registrationNumber");
    let found = entries(list).into_iter().find(|(entry, _)| entry.eq_ignore_ascii_case(number));
    let (_, values) = found.ok_or("Bad request: the number is not in the list")?;
    let names = list.text("customFields").split(';').filter(|name| !name.is_empty());
    let values = values.split(',').chain(std::iter::repeat(""));
    let text: Vec<String> = names.zip(values).map(|(name, value)| format!("{name}={value}")).collect();
    Ok(told("customFields", text.join(";")))
}

/// `MethodIdGetRegistrationNumbersInfo`.
pub fn list(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let list = world.store.get("lprMatchLists", task.target.1).ok_or(GONE)?;
    let text: Vec<String> =
        entries(list).into_iter().map(|(number, values)| line(&number, &values)).collect();
    Ok(told("registrationNumbers", text.join(";")))
}

/// `MethodIdAddOrEditRegistrationNumbersInfo{registrationNumbers}`.
pub fn add(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |entries, given| {
        for (number, values) in given {
            match entries.iter_mut().find(|(entry, _)| entry.eq_ignore_ascii_case(&number)) {
                Some(entry) => entry.1 = values,
                None => entries.push((number, values)),
            }
        }
    })
}

/// `MethodIdDeleteRegistrationNumbers{registrationNumbers}`.
pub fn delete(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |entries, given| {
        entries.retain(|(entry, _)| !given.iter().any(|(number, _)| number.eq_ignore_ascii_case(entry)));
    })
}

/// `MethodIdDeleteAllRegistrationNumbers`.
pub fn delete_all(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |entries, _| entries.clear())
}

type Entries = Vec<(String, String)>;

fn change(
    world: &mut World,
    task: &Invocation<'_>,
    how: impl FnOnce(&mut Entries, Entries),
) -> Result<Effected, String> {
    let list = world.store.get_mut("lprMatchLists", task.target.1).ok_or(GONE)?;
    let mut all = entries(list);
    how(&mut all, parse(task.text("registrationNumbers")));
    if all.len() > MOST {
        return Err(format!("Bad request: a list has at most {MOST} numbers"));
    }
    let numbers: Vec<&str> = all.iter().map(|(number, _)| number.as_str()).collect();
    let numbers = numbers.join(";");
    list.set("registrationNumbers", numbers);
    list.set(ENTRIES, all.iter().map(|(number, values)| line(number, values)).collect::<Vec<_>>());
    Ok(Effected::default())
}

fn entries(list: &Object) -> Entries {
    match list.fields.get(ENTRIES).and_then(Value::as_array) {
        Some(lines) => lines.iter().filter_map(Value::as_str).flat_map(parse).collect(),
        None => parse(list.text("registrationNumbers")),
    }
}

fn parse(text: &str) -> Entries {
    let entry = |line: &str| {
        let (number, values) = line.split_once(',').unwrap_or((line, ""));
        (number.trim().to_owned(), values.trim().to_owned())
    };
    text.split(';').map(entry).filter(|(number, _)| !number.is_empty()).collect()
}

fn line(number: &str, values: &str) -> String {
    if values.is_empty() { number.to_owned() } else { format!("{number},{values}") }
}

fn told(name: &str, text: String) -> Effected {
    Effected { result: Map::from_iter([(name.to_owned(), text.into())]), ..Effected::default() }
}
