//! `[admin]` and `[[admin.user]]`.

use std::net::SocketAddr;
use std::path::Path;

use super::{Context, pair};
use crate::config::files;
use crate::config::raw::Table;
use crate::config::types::{Admin, AdminRole, AdminUser};
use crate::config::value::{Item, quote};

pub(super) fn convert(root: &Table, state_dir: Option<&Path>, cx: &mut Context<'_>) -> Option<Admin> {
    let table = root.table("admin")?;
    let users = users(table, cx);
    let hosts = table.get::<Vec<Item<String>>>("hosts");
    if let Some(hosts) = &hosts {
        super::refuse_twice(table, "hosts", hosts, cx);
    }
    let certificate = pair::convert(table, cx).map(|(pair, facts)| {
        if let (Some(facts), Some(hosts)) = (&facts, &hosts) {
            pair::warn_of_names(table, facts, hosts.iter().map(|h| h.value.as_str()), cx);
        }
        match pair {
            pair::Pair::Files { chain, key } => Some((chain, key)),
            pair::Pair::None => None,
        }
    });
    let token_file = match table.get::<String>("token_file")? {
        name if name.is_empty() => state_dir?.join("admin.token"),
        name => cx.file(&name),
    };
    // The file is made at start if it is missing; one that exists must be usable.
    if files::exists(&token_file) {
        cx.secret(table, "token_file", &token_file);
    }
    let address = table.get::<Option<SocketAddr>>("address")??;
    let (hosts, certificate) = (hosts?, certificate?);
    if !address.ip().is_loopback() {
        let mut missing = Vec::new();
        if certificate.is_none() {
            missing.extend(["certificate".to_owned(), "private_key".to_owned()]);
        }
        if hosts.is_empty() {
            missing.push("hosts".to_owned());
        }
        if !missing.is_empty() {
            cx.error(
                table,
                "address",
                format!("{address} can be reached from other machines, but {} not set", are(&missing)),
                "set them, or use a loopback address such as \"127.0.0.1:9180\"",
            );
            return None;
        }
    }
    Some(Admin {
        address,
        token_file,
        certificate,
        hosts: hosts.into_iter().map(|h| h.value).collect(),
        users: users?,
    })
}

fn are(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        [many @ .., last] => format!("{} and {last} are", many.join(", ")),
        [] => String::new(),
    }
}

fn users(admin: &Table, cx: &mut Context<'_>) -> Option<Vec<AdminUser>> {
    let mut users: Vec<Option<AdminUser>> = Vec::new();
    let mut tokens: Vec<(String, Vec<u8>)> = Vec::new();
    for table in admin.list("user") {
        let user = user(table, cx);
        if let Some(user) = &user {
            if user.name == "local" {
                let problem = "\"local\" is the user of [admin] token_file";
                cx.error(table, "name", problem, "choose another name");
            }
            if users.iter().flatten().any(|other| other.name == user.name) {
                let problem = format!("there is another [[admin.user]] {}", quote(&user.name));
                cx.error(table, "name", problem, "choose another name");
            }
            if let Some(token) = cx.secret(table, "token_file", &user.token_file) {
                // A token decides who somebody is; approvals of two people need two tokens.
                if let Some((other, _)) = tokens.iter().find(|(_, t)| *t == token) {
                    let problem = format!("this is also the token of {}", quote(other));
                    cx.error(table, "token_file", problem, "give each user a token of their own");
                }
                tokens.push((user.name.clone(), token));
            }
        }
        users.push(user);
    }
    users.into_iter().collect()
}

fn user(table: &Table, cx: &mut Context<'_>) -> Option<AdminUser> {
    let token_file = table.get::<String>("token_file").map(|t| cx.file(&t));
    let role = match table.get::<String>("role")?.as_str() {
        "operator" => AdminRole::Operator,
        "approver" => AdminRole::Approver,
        "admin" => AdminRole::Admin,
        _ => AdminRole::Viewer,
    };
    Some(AdminUser { name: table.get("name")?, role, token_file: token_file? })
}
