//! Reads TOML against the table of keys: unknown keys, types, single values, defaults.
//!
//! The result is a tree of checked single values that remember where they stand; what they mean
//! together is the business of [`super::convert`]. Nothing stops at the first mistake.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::complaint::{At, Collector};
use super::keys::{self, Effect, Key, Kind, Preset, Shape};
use super::types::Origin;
use super::value::{self, Item, Value};

/// A table of the file: values, defaults filled in.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Where its header stands; `None`: not in the file.
    pub(super) at: Option<At>,
    /// How complaints name it: `[listener]`, `[[site]] "hq":`, `[[instance]] "a": account.`
    label: String,
    values: BTreeMap<&'static str, Field>,
    tables: BTreeMap<String, Table>,
    lists: BTreeMap<String, Vec<Table>>,
    /// Lists that are wrong at least in part, and said so.
    refused_lists: Vec<String>,
}

#[derive(Debug)]
struct Field {
    /// Where it stands; `None`: the default.
    at: Option<At>,
    /// `None`: refused, and said so.
    value: Option<Value>,
}

/// Reads the root table. `unbuilt` receives each key without effect that the file sets.
pub(super) fn read(
    root: &DeTable<'_>,
    out: &mut Collector<'_>,
    unbuilt: &mut Vec<(At, &'static Key)>,
) -> Table {
    Reader { out, unbuilt }.table(root, "", String::new(), Some(0))
}

struct Reader<'c, 'a> {
    out: &'c mut Collector<'a>,
    unbuilt: &'c mut Vec<(At, &'static Key)>,
}

impl Reader<'_, '_> {
    fn table(&mut self, source: &DeTable<'_>, pattern: &str, label: String, at: Option<At>) -> Table {
        let mut table = Table { at, label, ..Table::default() };
        for (key, value) in source.iter() {
            self.entry(&mut table, pattern, key, value);
        }
        self.fill(&mut table, pattern);
        table
    }

    fn entry(
        &mut self,
        table: &mut Table,
        pattern: &str,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let name = key.get_ref().as_ref();
        let at = key.span().start;
        let any = keys::join(pattern, "*");
        // A quoted key could spell a path of the table of keys: `"account.username"`.
        let shape = if name.contains(['.', '[', '*']) { None } else { keys::shape(pattern, name) };
        if let Some(shape) = shape {
            self.known(table, pattern, name, shape, at, value);
        } else if keys::shape(pattern, "*").is_some() && value::is_name(name) {
            self.sub_table(table, &any, name, at, value);
        } else {
            let remedy = unknown_remedy(pattern, name);
            self.out.error(at, table.place(&value::bare(name)), "unknown key", remedy);
        }
    }

    fn known(
        &mut self,
        table: &mut Table,
        pattern: &str,
        name: &str,
        shape: Shape,
        at: At,
        value: &Spanned<DeValue<'_>>,
    ) {
        match shape {
            Shape::Value(key) => {
                if key.effect == Effect::NotYet {
                    self.unbuilt.push((at, key));
                }
                if key.kind == Kind::Table {
                    self.sub_table(table, key.path, name, at, value);
                } else {
                    self.value(table, key, value);
                }
            }
            Shape::Table => self.sub_table(table, &keys::join(pattern, name), name, at, value),
            Shape::List => self.list(table, pattern, name, at, value),
        }
    }

    fn value(&mut self, table: &mut Table, key: &'static Key, source: &Spanned<DeValue<'_>>) {
        let name = last(key);
        let optional_text = key.preset == Preset::Value("\"\"");
        let empty = source.get_ref().as_str().is_some_and(|s| s.trim().is_empty());
        let parsed = match value::parse(key.kind, source) {
            Ok(value) => Some(value),
            Err(refused) => {
                for r in refused {
                    self.out.error(r.at, table.place(name), r.problem, r.remedy);
                }
                None
            }
        };
        let at = source.span().start;
        let needs_text = matches!(key.kind, Kind::Text | Kind::Path) && !optional_text;
        let value = if needs_text && empty {
            self.out.error(at, table.place(name), "this is empty", "write a value or remove the key");
            None
        } else {
            parsed
        };
        table.values.insert(name, Field { at: Some(at), value });
    }

    fn sub_table(
        &mut self,
        table: &mut Table,
        pattern: &str,
        name: &str,
        at: At,
        value: &Spanned<DeValue<'_>>,
    ) {
        let Some(source) = value.get_ref().as_table() else {
            let problem = format!("this is {}, not a table", value::type_name(value));
            let remedy = match keys::find(pattern).and_then(|key| key.example) {
                Some(example) => format!("write for example {name} = {example}"),
                None => format!("write its keys under {}", table.inner_label(name)),
            };
            self.out.error(at, table.place(name), problem, remedy);
            // Present but refused: its keys must not be reported as missing as well.
            table.tables.insert(name.to_owned(), Table { at: Some(at), ..Table::default() });
            return;
        };
        let label = table.inner_label(name);
        let inner = self.table(source, pattern, label, Some(at));
        table.tables.insert(name.to_owned(), inner);
    }

    fn list(&mut self, table: &mut Table, pattern: &str, name: &str, at: At, value: &Spanned<DeValue<'_>>) {
        let path = keys::join(pattern, name);
        let header = format!("[[{path}]]");
        let Some(array) = value.get_ref().as_array() else {
            let problem = format!("this is {}, not a list of tables", value::type_name(value));
            self.out.error(at, table.place(name), problem, format!("write {header} above each of them"));
            table.refused_lists.push(name.to_owned());
            return;
        };
        let mut list = Vec::new();
        for (n, entry) in array.iter().enumerate() {
            let at = entry.span().start;
            let Some(source) = entry.get_ref().as_table() else {
                let problem = format!("this is {}, not a table", value::type_name(entry));
                self.out.error(at, table.place(name), problem, format!("write {header} above its keys"));
                table.refused_lists.push(name.to_owned());
                continue;
            };
            let title = source.get("name").and_then(|v| v.get_ref().as_str()).map_or_else(
                || format!("{header} number {}", n + 1),
                |title| format!("{header} {}", value::quote(title)),
            );
            list.push(self.table(source, &format!("{path}[]"), format!("{title}:"), Some(at)));
        }
        table.lists.insert(name.to_owned(), list);
    }

    /// Adds what the file leaves out.
    fn fill(&mut self, table: &mut Table, pattern: &str) {
        for name in keys::children(pattern) {
            match keys::shape(pattern, name) {
                Some(Shape::Value(key)) => self.fill_value(table, key),
                Some(Shape::Table) if name != "*" && !table.tables.contains_key(name) => {
                    let path = keys::join(pattern, name);
                    let label = table.inner_label(name);
                    let empty = self.table(&DeTable::new(), &path, label, None);
                    table.tables.insert(name.to_owned(), empty);
                }
                _ => {}
            }
        }
    }

    fn fill_value(&mut self, table: &mut Table, key: &'static Key) {
        let name = last(key);
        if table.values.contains_key(name) {
            return;
        }
        match key.preset {
            Preset::Required => {
                let remedy = match key.example {
                    Some(example) => format!("add for example {name} = {example}"),
                    None => format!("add {name}"),
                };
                self.out.error(table.at, table.place(name), "this key is missing", remedy);
                table.values.insert(name, Field { at: None, value: None });
            }
            Preset::Unset(_) => {}
            Preset::Value(toml) => {
                let value = DeValue::parse(toml).ok().and_then(|v| value::parse(key.kind, &v).ok());
                table.values.insert(name, Field { at: None, value });
            }
        }
    }
}

fn unknown_remedy(pattern: &str, name: &str) -> String {
    if let Some(near) = keys::nearest(pattern, name) {
        return format!("did you mean {near}?");
    }
    let elsewhere = keys::elsewhere(name);
    if !elsewhere.is_empty() {
        return format!("it belongs into {}", value::alternatives(&elsewhere));
    }
    let known: Vec<String> =
        keys::children(pattern).into_iter().filter(|k| *k != "*").map(str::to_owned).collect();
    if known.is_empty() {
        "remove it".to_owned()
    } else {
        format!("remove it; known here: {}", known.join(", "))
    }
}

fn last(key: &'static Key) -> &'static str {
    key.path.rsplit_once('.').map_or(key.path, |(_, name)| name)
}

impl Table {
    /// How a complaint names a key of this table.
    pub(super) fn place(&self, key: &str) -> String {
        match self.label.as_str() {
            "" => key.to_owned(),
            // The inner tables of a list's element: `[[instance]] "a": account.`
            label if label.ends_with('.') => format!("{label}{key}"),
            label => format!("{label} {key}"),
        }
    }

    /// How a complaint names the table itself.
    pub(super) fn name(&self) -> &str {
        self.label.trim_end_matches([':', '.'])
    }

    fn inner_label(&self, name: &str) -> String {
        if self.label.ends_with([':', '.']) {
            format!("{}.", self.place(name))
        } else if let Some(outer) = self.label.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            format!("[{outer}.{name}]")
        } else {
            format!("[{name}]")
        }
    }

    /// A value or its default. `None`: missing, or refused and said so.
    pub(super) fn get<T: FromValue>(&self, key: &str) -> Option<T> {
        T::from_value(self.values.get(key)?.value.as_ref()?)
    }

    /// Where a key's value stands; the table's header if it is not written.
    pub(super) fn at(&self, key: &str) -> Option<At> {
        self.values.get(key).and_then(|f| f.at).or_else(|| self.tables.get(key)?.at).or(self.at)
    }

    /// The key is written in the file.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|f| f.at.is_some())
            || self.tables.get(key).is_some_and(|t| t.at.is_some())
    }

    /// `[this.name]`; `None` only for an optional table that is not written.
    pub(super) fn table(&self, name: &str) -> Option<&Self> {
        self.tables.get(name)
    }

    /// It stands in the file and was not refused as a whole.
    pub(super) fn is_read(&self) -> bool {
        self.at.is_some() && !self.label.is_empty()
    }

    /// Every table inside, by name.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table))
    }

    /// There is no `[[this.name]]` and nothing that was meant to be one.
    pub(super) fn lacks_list(&self, name: &str) -> bool {
        self.list(name).is_empty() && !self.refused_lists.iter().any(|refused| refused == name)
    }

    /// Every `[[this.name]]`.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What a value can be taken as.
pub(super) trait FromValue: Sized {
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $variant:ident),* $(,)?) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::$variant(inner) => Some(inner.clone()),
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    String: Text,
    bool: Flag,
    u32: Number,
    Duration: Time,
    Option<SocketAddr>: Address,
    Origin: Origin,
    Vec<Item<String>>: Texts,
    Vec<Item<Origin>>: Origins,
    Vec<Item<IpNet>>: Networks,
}
