//! One table of every key: what may be written, the default, what it does.
//!
//! The reader (`raw`) takes unknown keys, types and defaults from it;
//! `docs/configuration.md` and `config/gatekeeper.toml` are rendered from it ([`render`]). A key
//! that is not in the table does not exist, and a key in the table cannot be undocumented.

pub mod render;
mod table;

use std::time::Duration;

pub use table::{KEYS, SECTIONS};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands: `listener.address`; `site[].hosts` in every `[[site]]`;
    /// `sync.limits.*.delete` under any name.
    pub path: &'static str,
    /// What may be written.
    pub kind: Kind,
    /// What holds when it is not written.
    pub preset: Preset,
    /// When a change takes effect.
    pub effect: Effect,
    /// What it does, for the manual. Markdown.
    pub text: &'static str,
    /// What `config/gatekeeper.toml` shows when there is no default to show. TOML.
    pub example: Option<&'static str>,
}

/// The form of a value, including all that can be wrong with it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text; not empty unless the preset is.
    Text,
    /// A name for metrics, logs and commands.
    Name,
    /// A file or directory; relative to the configuration file.
    Path,
    /// `true` or `false`.
    Flag,
    /// A whole number within limits.
    Number {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// Text such as `"500ms"`, within limits.
    Time {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A list of words from a few.
    Choices(&'static [&'static str]),
    /// IP address and port.
    Address,
    /// IP address and port, or empty.
    AddressOrOff,
    /// `http(s)://host[:port]`.
    Origin,
    /// A list of origins.
    Origins,
    /// A list of host names or addresses without port.
    Hosts,
    /// A list of host names, or `["*"]`.
    HostsOrAny,
    /// A list of networks or addresses.
    Networks,
    /// A list of texts.
    Texts,
    /// A list of URL path prefixes.
    Prefixes,
    /// A URL path.
    UrlPath,
    /// `HH:MM`.
    DayTime,
    /// A table whose keys have rows of their own; absent unless written.
    Table,
}

/// What holds when a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// It must be written.
    Required,
    /// Nothing; the text says what that means.
    Unset(&'static str),
    /// This value, as TOML.
    Value(&'static str),
}

/// When a change of a key takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// At the next reload.
    Reload,
    /// At the next start; a reload that changes it is refused.
    Restart,
    /// The part that reads it is not built yet: checked, named in a warning, otherwise ignored.
    NotYet,
}

/// The row of a path pattern.
pub fn find(pattern: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.path == pattern)
}

/// The path pattern of `name` inside the table with pattern `parent`.
pub fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// The names that may be written directly inside the table with pattern `parent`, tables included.
pub fn children(parent: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for key in KEYS {
        let Some(rest) = inside(parent, key.path) else { continue };
        let name = rest.split('.').next().unwrap_or(rest).trim_end_matches("[]");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What follows `parent.` in `path`.
fn inside<'p>(parent: &str, path: &'p str) -> Option<&'p str> {
    if parent.is_empty() { Some(path) } else { path.strip_prefix(parent)?.strip_prefix('.') }
}

/// What stands under a name inside a table.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A value (or an optional table, [`Kind::Table`]).
    Value(&'static Key),
    /// `[parent.name]`.
    Table,
    /// `[[parent.name]]`.
    List,
}

/// What `name` is inside the table with pattern `parent`; `None`: unknown.
pub fn shape(parent: &str, name: &str) -> Option<Shape> {
    let pattern = join(parent, name);
    if let Some(key) = find(&pattern) {
        return Some(Shape::Value(key));
    }
    let list = format!("{pattern}[]");
    KEYS.iter().find_map(|key| {
        if inside(&list, key.path).is_some() {
            Some(Shape::List)
        } else if inside(&pattern, key.path).is_some() {
            Some(Shape::Table)
        } else {
            None
        }
    })
}

/// The known name that a mistyped one probably stands for.
pub fn nearest(parent: &str, name: &str) -> Option<&'static str> {
    let limit = (name.chars().count() / 3).max(1);
    children(parent)
        .into_iter()
        .map(|known| (distance(name, known), known))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, known)| known)
}

/// The tables in which a key of this name exists, as headers.
pub fn elsewhere(name: &str) -> Vec<String> {
    KEYS.iter()
        .filter_map(|k| {
            let (parent, last) = k.path.rsplit_once('.')?;
            (last == name && !parent.contains('*')).then(|| header(parent))
        })
        .collect()
}

/// The TOML header of a table pattern: `[listener]`, `[[site]]`.
pub fn header(pattern: &str) -> String {
    pattern.strip_suffix("[]").map_or_else(|| format!("[{pattern}]"), |name| format!("[[{name}]]"))
}

/// Edits (insert, delete, replace, swap neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    // A key of hundreds of characters is no typo; the bound keeps hostile input cheap.
    if a.len() > 64 {
        return usize::MAX;
    }
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(ca != cb);
            let mut best = replaced.min(row[j] + 1).min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_key() {
        assert_eq!(nearest("site[]", "standbys"), Some("standby"));
        assert_eq!(nearest("site[]", "primray"), Some("primary"));
        assert_eq!(nearest("health", "intervall"), Some("interval"));
        assert_eq!(nearest("", "listner"), Some("listener"));
        assert_eq!(nearest("", "wholly_different"), None);
        assert_eq!(nearest("", &"x".repeat(1000)), None);
        assert_eq!(elsewhere("rise"), ["[health]"]);
        assert_eq!(elsewhere("hosts"), ["[admin]", "[[site]]"]);
    }

    #[test]
    fn shapes() {
        assert!(matches!(shape("", "state_dir"), Some(Shape::Value(_))));
        assert!(matches!(shape("", "listener"), Some(Shape::Table)));
        assert!(matches!(shape("", "site"), Some(Shape::List)));
        assert!(matches!(shape("admin", "user"), Some(Shape::List)));
        assert!(matches!(shape("instance[]", "account"), Some(Shape::Value(k)) if k.kind == Kind::Table));
        assert!(shape("", "list").is_none(), "a prefix of a name is not the name");
        assert!(matches!(shape("sync.limits", "*"), Some(Shape::Table)));
    }

    #[test]
    fn rows_are_unique_and_complete() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(!KEYS[..i].iter().any(|k| k.path == key.path), "{} twice", key.path);
            assert!(key.text.ends_with('.'), "{}: a sentence ends with a full stop", key.path);
            let shown = matches!(key.preset, Preset::Value(_)) || key.example.is_some();
            assert!(shown || key.kind == Kind::Table, "{}: nothing to show in the example", key.path);
            let parent = key.path.rsplit_once('.').map_or("", |(p, _)| p);
            assert!(
                SECTIONS.iter().any(|s| s.pattern == parent) || find(parent).is_some(),
                "{}: no section",
                key.path
            );
        }
    }
}
