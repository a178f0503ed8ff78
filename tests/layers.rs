//! The direction of imports (design section 3): a stage of the request path does not know the stages that come
//! before it, facts do not know requests, and nobody but the top knows everything.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

/// The path of a request. What stands to the left may not be imported, but for the doors below.
const STAGES: [&str; 8] = ["accept", "tls", "http", "session", "route", "health", "balance", "upstream"];

/// Small modules through which a stage may look to its left, with the reason.
const DOORS: &[(&str, &str, &str)] = &[
    ("*", "types", "plain values without behaviour"),
    ("upstream", "tls::client", "an instance is trusted by its CA, whoever asks"),
    ("upstream", "http::body", "the one body type that travels both ways"),
    ("upstream", "health", "passive observation: forwarding reports what it saw"),
    ("upstream", "balance", "retries ask the serving table for the next instance"),
    ("balance", "health", "the table is computed from facts"),
];

/// Who must never import whom, with the reason. A name is a module or `module::part`.
const BANS: &[(&[&str], &[&str], &str)] = &[
    (&["*"], &["admin"], "the operator side looks at everything, nothing looks at it"),
    (&["*"], &["app", "stack"], "only the top knows every part"),
    (&["*"], &["cli"], "commands are a way in, not a library"),
    (
        &["health", "balance"],
        &["accept", "http", "session", "route", "tls::server"],
        "they know facts, not requests",
    ),
    (
        &["sync", "events", "vms"],
        &["accept", "tls::server", "http", "session", "route"],
        "workers talk to instances, not to clients",
    ),
    (
        &["clock", "log", "config"],
        &["accept", "http", "session", "route", "health", "balance", "upstream", "state", "vms"],
        "tools know nothing of what uses them",
    ),
    (&["state"], &["http", "session", "route", "upstream", "health"], "storage keeps what it is given"),
];

/// The top: it puts the parts together.
const TOP: [&str; 5] = ["app", "stack", "cli", "main", "lib"];

/// `admin` is a part, too: it may not know requests.
const NOT_FOR_ADMIN: [&str; 5] = ["accept", "http", "session", "route", "cli"];

/// Why `importer` may not import `path` (below `crate::`), if it may not.
fn violation(importer: &str, path: &str) -> Option<String> {
    let (target, part) = path.split_once("::").unwrap_or((path, ""));
    if importer == target || TOP.contains(&importer) {
        return None;
    }
    let is = |name: &&str| **name == *target || **name == *path || path.starts_with(&format!("{name}::"));
    for (who, whom, why) in BANS {
        if (who.contains(&"*") || who.contains(&importer)) && whom.iter().any(&is) {
            return Some((*why).into());
        }
    }
    if importer == "admin" && NOT_FOR_ADMIN.contains(&target) {
        return Some("the operator side does not take part in requests".into());
    }
    let place = |name| STAGES.iter().position(|s| *s == name);
    let (Some(own), Some(other)) = (place(importer), place(target)) else { return None };
    let door = DOORS.iter().any(|(who, name, _)| {
        (*who == "*" && part.split("::").next() == Some(name)) || (*who == importer && is(name))
    });
    (other < own && !door).then(|| format!("`{importer}` comes after `{target}` in the path of a request"))
}

/// Everything below `crate::` that a source text names, outside comments and its tests.
fn imports(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source);
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    let code: String = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, mark) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + mark.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group)),
            None => found.push(path(rest)),
        }
    }
    found
}

/// `a::b` of `a::b::C`: lower-case segments only.
fn path(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let segments = text[..end].split("::").filter(|s| !s.is_empty());
    segments.take_while(|s| s.starts_with(|c: char| c.is_lowercase())).collect::<Vec<_>>().join("::")
}

/// The members of `{a::b, c::{d, e}}`, without what is nested.
fn group_members(text: &str) -> Vec<String> {
    let (mut depth, mut start, mut members) = (0_usize, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(path(text[start..at].trim()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(path(text[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    members.retain(|m| !m.is_empty());
    members
}

fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn imports_point_in_one_direction() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (file, source) in &files {
        let relative = file.strip_prefix(root.to_str().unwrap()).unwrap().trim_start_matches('/');
        let importer = relative.split('/').next().unwrap().trim_end_matches(".rs");
        // Test code may reach for anything.
        if importer == "testing" || relative.ends_with("tests.rs") {
            continue;
        }
        for path in imports(source) {
            seen += 1;
            if let Some(why) = violation(importer, &path) {
                wrong.push(format!("src/{relative} imports crate::{path}: {why}"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(files.len() > 20 && seen > 50, "{} files, {seen} imports: is anything read at all?", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_simulator_is_no_part_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    assert!(manifest["dependencies"].as_table().unwrap().keys().all(|k| !k.contains("sim")));
    let sim: toml::Table = fs::read_to_string(root.join("sim/Cargo.toml")).unwrap().parse().unwrap();
    for section in ["dependencies", "dev-dependencies"] {
        let names = sim[section].as_table().unwrap();
        assert!(!names.contains_key("gatekeeper"), "shared types make both wrong in the same way");
    }
}

#[test]
fn a_made_up_violation_is_found() {
    let cases = [
        ("upstream", "use crate::http::guard::Refusal;", true),
        ("upstream", "use crate::http::body::Body;", false),
        ("upstream", "use crate::route::types::Route;", false),
        ("health", "use crate::{clock::Moment, session::{table, who}};", true),
        ("balance", "let x = crate::http::respond::page(1);", true),
        ("http", "use crate::admin::status::Status;", true),
        ("route", "use crate::balance::pick::Pick;", false),
        ("events", "use crate::tls::server::Resolver;", true),
        ("events", "use crate::tls::client::client_config;", false),
        ("clock", "use crate::balance::Table;", true),
        ("stack", "use crate::admin::serve; use crate::http::guard;", false),
        ("tls", "// use crate::app::App;", false),
        ("tls", "use crate::app::App;", true),
        ("tls", "#[cfg(test)]\nmod tests { use crate::app::App; }", false),
        ("admin", "use crate::session::table::Table;", true),
    ];
    for (importer, source, bad) in cases {
        let found: Vec<_> = imports(source).iter().filter_map(|p| violation(importer, p)).collect();
        assert_eq!(!found.is_empty(), bad, "{importer}: {source}: {found:?}");
    }
    assert_eq!(imports("use crate::{a::b::C, d, e::{f, g::H}};"), ["a::b", "d", "e"]);
}
