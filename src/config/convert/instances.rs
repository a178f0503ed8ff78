//! `[[instance]]`.

use super::Context;
use crate::config::certificate;
use crate::config::raw::Table;
use crate::config::types::{Account, Instance, Origin};
use crate::config::value::{Item, quote};

/// Ids are 16 bits wide.
const MOST: usize = u16::MAX as usize;

pub(super) fn convert(root: &Table, cx: &mut Context<'_>) -> Option<Vec<Instance>> {
    let tables = root.list("instance");
    if root.lacks_list("instance") {
        cx.out.error(None, "", "there is no [[instance]]", "add one with name and url");
        return None;
    }
    if tables.len() > MOST {
        cx.out.error(None, "", format!("there are more than {MOST} instances"), "use several gatekeepers");
        return None;
    }
    let mut instances: Vec<Option<Instance>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    // Whose origin is whose: an answer is rewritten by it, so it must be unambiguous.
    let mut origins: Vec<(Origin, String)> = Vec::new();
    for table in tables {
        if let Some(name) = table.get::<String>("name") {
            if names.contains(&name) {
                let problem = format!("there is another [[instance]] {}", quote(&name));
                cx.error(table, "name", problem, "choose another name");
            }
            names.push(name);
        }
        check_origins(table, &mut origins, cx);
        instances.push(instance(table, cx));
    }
    instances.into_iter().collect()
}

fn check_origins(table: &Table, known: &mut Vec<(Origin, String)>, cx: &mut Context<'_>) {
    let owner = table.name().to_owned();
    let mut claim = |origin: Origin, at, key: &str, cx: &mut Context<'_>| {
        if let Some((_, other)) = known.iter().find(|(o, _)| *o == origin) {
            let (problem, remedy) = if *other == owner {
                (format!("{origin} is listed twice"), "remove one")
            } else {
                (format!("{origin} also belongs to {other}"), "give each instance its own")
            };
            cx.out.error(at, table.place(key), problem, remedy);
        }
        known.push((origin, owner.clone()));
    };
    if let Some(url) = table.get::<Origin>("url") {
        claim(url, table.at("url"), "url", cx);
    }
    for alias in table.get::<Vec<Item<Origin>>>("aliases").unwrap_or_default() {
        claim(alias.value, Some(alias.at), "aliases", cx);
    }
}

fn instance(table: &Table, cx: &mut Context<'_>) -> Option<Instance> {
    let account = match table.table("account") {
        Some(inner) => account(inner, cx).map(Some),
        None => Some(None),
    };
    if let Some(inner) = table.table("sync_account") {
        // No effect yet, but checked.
        account_of_sync(inner, cx);
    }
    let url = table.get::<Origin>("url");
    let ca_file = table.get::<String>("ca_file").map(|f| cx.file(&f));
    if let Some(path) = &ca_file {
        if let Err(error) = certificate::check_ca(path) {
            cx.bad_file(table, "ca_file", &error);
        }
        if url.as_ref().is_some_and(|u| !u.tls) {
            cx.warning(
                table,
                "ca_file",
                "no effect: url is http://, so nothing is verified",
                "use https:// or remove ca_file",
            );
        }
    }
    let aliases = table.get::<Vec<Item<Origin>>>("aliases");
    Some(Instance {
        name: table.get("name")?,
        url: url?,
        ca_file,
        aliases: aliases?.into_iter().map(|a| a.value).collect(),
        account: account?,
    })
}

fn account(table: &Table, cx: &mut Context<'_>) -> Option<Account> {
    let username = table.get::<String>("username");
    let password_file = table.get::<String>("password_file").map(|f| cx.file(&f));
    if let Some(path) = &password_file {
        cx.secret(table, "password_file", path);
    }
    Some(Account { username: username?, password_file: password_file? })
}

fn account_of_sync(table: &Table, cx: &mut Context<'_>) {
    account(table, cx);
}
