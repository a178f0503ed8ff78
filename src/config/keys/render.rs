//! The manual and the example file, made from the table so that neither can be out of date.

use super::{Effect, KEYS, Key, Kind, Preset, SECTIONS, find, header};
use crate::config::value::{alternatives, show_time};

/// `docs/configuration.md`.
pub fn manual() -> String {
    let mut out = include_str!("intro.md").to_owned();
    for section in SECTIONS {
        let title = match section.pattern {
            "" => "Top level".to_owned(),
            pattern => format!("`{}`", header(pattern)),
        };
        out += &format!("\n## {title}\n\n{}\n\n", section.text);
        out += "| Key | Value | Default | Change | Meaning |\n|---|---|---|---|---|\n";
        for key in rows(section.pattern) {
            let name = key.path.strip_prefix(section.pattern).unwrap_or(key.path).trim_start_matches('.');
            let default = match key.preset {
                Preset::Required => "must be set".to_owned(),
                Preset::Unset(text) => text.to_owned(),
                Preset::Value(toml) => format!("`{toml}`"),
            };
            let effect = match key.effect {
                Effect::Reload => "reload",
                Effect::Restart => "**restart**",
                Effect::NotYet => "no effect yet",
            };
            let cells = [format!("`{name}`"), describe(key.kind), default, effect.to_owned(), meaning(key)];
            out += &format!("| {} |\n", cells.map(|c| c.replace('|', "\\|")).join(" | "));
        }
    }
    out
}

fn meaning(key: &Key) -> String {
    match key.example {
        Some(example) if matches!(key.preset, Preset::Value(_)) => {
            format!("{} Example: `{example}`.", key.text)
        }
        _ => key.text.to_owned(),
    }
}

/// The rows of a section, those of its optional tables included.
fn rows(pattern: &str) -> impl Iterator<Item = &'static Key> {
    let is_section = |p: &str| SECTIONS.iter().any(|s| s.pattern == p);
    KEYS.iter().filter(move |key| {
        let mut parent = key.path.rsplit_once('.').map_or("", |(p, _)| p);
        while !is_section(parent) {
            parent = parent.rsplit_once('.').map_or("", |(p, _)| p);
        }
        parent == pattern
    })
}

/// What may be written.
fn describe(kind: Kind) -> String {
    let words =
        |words: &[&str]| alternatives(&words.iter().map(|w| format!("`\"{w}\"`")).collect::<Vec<_>>());
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Name => "name (letters, digits, `.`, `_`, `-`)".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Number { min, max } => format!("number, {min} to {max}"),
        Kind::Time { min, max } => format!("duration, {} to {}", show_time(min), show_time(max)),
        Kind::Choice(list) => words(list),
        Kind::Choices(list) => format!("list of {}", words(list)),
        Kind::Address => "IP address and port".to_owned(),
        Kind::AddressOrOff => "IP address and port, or empty".to_owned(),
        Kind::Origin => "URL without path".to_owned(),
        Kind::Origins => "list of URLs without path".to_owned(),
        Kind::Hosts => "list of host names or addresses".to_owned(),
        Kind::HostsOrAny => "list of host names or addresses, or `[\"*\"]`".to_owned(),
        Kind::Networks => "list of addresses or networks".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Prefixes => "list of path prefixes".to_owned(),
        Kind::UrlPath => "URL path".to_owned(),
        Kind::DayTime => "time of day, `HH:MM`".to_owned(),
        Kind::Table => "table".to_owned(),
    }
}

/// `config/gatekeeper.toml`: every key with its default.
///
/// A line that starts with `#` and a letter or bracket is a setting that is switched off; a line
/// that starts with `#` and a blank is a comment. Without the former the file loads as it stands.
pub fn example() -> String {
    let mut out = EXAMPLE_HEAD.to_owned();
    for section in SECTIONS {
        out += "\n";
        if !section.pattern.is_empty() {
            out += &comment(section.text);
            out += &format!("{}{}\n", off(is_off(section.pattern)), example_header(section.pattern));
        }
        for key in rows(section.pattern).filter(|k| !in_optional_table(k)) {
            out += &comment(&plain(&meaning(key)));
            out += &comment(&format!("{}. Change: {}.", value_line(key), effect_line(key.effect)));
            out += &setting(key, is_off(section.pattern));
        }
        if section.pattern == "instance[]" {
            out += "\n[[instance]]\nname = \"b\"\nurl = \"https://vms-b.example\"\n";
        }
    }
    out
}

const EXAMPLE_HEAD: &str = "\
# Every key of the gatekeeper with its default. Generated from src/config/keys; docs/configuration.md
# says the same as a table. A setting behind a bare '#' shows the default, or an example where there
# is none: remove the '#' to set it. Durations have a unit: ms, s, min, h. Relative paths start at
# the directory of this file. To begin, minimal.toml is enough.
";

fn example_header(pattern: &str) -> String {
    header(&pattern.replace('*', "cameras"))
}

/// Lists and free tables that a configuration need not have.
fn is_off(pattern: &str) -> bool {
    pattern.contains('*') || (pattern.ends_with("[]") && pattern != "instance[]" && pattern != "site[]")
}

const fn off(off: bool) -> &'static str {
    if off { "#" } else { "" }
}

fn in_optional_table(key: &Key) -> bool {
    key.path.rsplit_once('.').is_some_and(|(parent, _)| find(parent).is_some())
}

fn setting(key: &Key, section_off: bool) -> String {
    let name = key.path.rsplit_once('.').map_or(key.path, |(_, name)| name);
    // A site without standby is possible but not what this program is for.
    let shown_on = key.preset == Preset::Required || key.path == "site[].standby";
    let value = match key.preset {
        Preset::Value(toml) if !shown_on => toml,
        Preset::Value(_) | Preset::Required | Preset::Unset(_) => key.example.unwrap_or_default(),
    };
    format!("{}{name} = {value}\n", off(section_off || !shown_on))
}

fn value_line(key: &Key) -> String {
    let default = match key.preset {
        Preset::Required => "must be set".to_owned(),
        Preset::Unset(text) => format!("default: {}", plain(text)),
        Preset::Value(toml) => format!("default: {toml}"),
    };
    format!("{}; {default}", capital(&plain(&describe(key.kind))))
}

const fn effect_line(effect: Effect) -> &'static str {
    match effect {
        Effect::Reload => "reload",
        Effect::Restart => "restart",
        Effect::NotYet => "no effect yet",
    }
}

fn plain(markdown: &str) -> String {
    markdown.replace('`', "")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// Comment lines of at most 100 characters.
fn comment(text: &str) -> String {
    let text = plain(text);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 97 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}
