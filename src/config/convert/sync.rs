//! `[sync]` and below. What nothing uses yet (windows, limits) is checked and then forgotten.

use std::time::Duration;

use super::{Context, refuse_twice};
use crate::config::raw::Table;
use crate::config::types::{Sync, SyncPair, SyncPolicy};
use crate::config::value::{Item, quote, show_time};
use crate::sync::catalogue::field::Field;
use crate::sync::catalogue::{How, Kind, Place, Policy, Type};

pub(super) fn convert(root: &Table, cx: &mut Context<'_>) -> Option<Sync> {
    let sync = root.table("sync")?;
    let intervals = intervals(sync, cx);
    let policies = policies(sync, cx);
    let pairs: Vec<Option<SyncPair>> = sync.list("pair").iter().map(|p| pair(p, root, cx)).collect();
    refuse_second_partners(sync.list("pair"), &pairs, cx);
    for window in sync.list("window") {
        check_window(window, cx);
    }
    for (_, limits) in sync.table("limits").into_iter().flat_map(Table::tables) {
        for (kind, limit) in limits.tables() {
            if ["max", "percent", "from"].iter().all(|key| !limit.is_set(key)) && limit.is_read() {
                cx.error(limits, kind, "this limits nothing", "add max, percent or from");
            }
        }
    }
    let (interval, full_interval) = intervals?;
    Some(Sync {
        enabled: sync.get("enabled")?,
        baseline_auto: sync.get::<String>("baseline")? == "auto",
        interval,
        full_interval,
        delete_readings: sync.get("delete_snapshots")?,
        delete_min_age: sync.get("delete_min_age")?,
        unconfirmed: sync.get("unconfirmed")?,
        canary_required: sync.get::<String>("canary")? == "required",
        policies: policies?,
        pairs: pairs.into_iter().collect::<Option<_>>()?,
    })
}

fn intervals(sync: &Table, cx: &mut Context<'_>) -> Option<(Duration, Duration)> {
    let interval = sync.get::<Duration>("interval");
    let full = sync.get::<Duration>("full_interval");
    let (interval, full) = (interval?, full?);
    if full < interval {
        let key = if sync.is_set("full_interval") { "full_interval" } else { "interval" };
        let problem =
            format!("full_interval ({}) is shorter than interval ({})", show_time(full), show_time(interval));
        cx.error(sync, key, problem, "a reading of everything includes the changes; lengthen it");
        return None;
    }
    Some((interval, full))
}

fn policies(sync: &Table, cx: &mut Context<'_>) -> Option<Vec<SyncPolicy>> {
    let mut known: Vec<Kind> = Vec::new();
    let mut policies = Some(Vec::new());
    for table in sync.list("policy") {
        let policy = policy(table, cx);
        if let Some(kind) = kind(table, cx) {
            if known.contains(&kind) {
                let problem = format!("there is another [[sync.policy]] for {}", quote(kind.as_str()));
                cx.error(table, "type", problem, "join them");
            }
            known.push(kind);
            warn_of_idle(kind, table, sync, cx);
        }
        policies = policies.zip(policy).map(|(mut all, one)| {
            all.push(one);
            all
        });
    }
    policies
}

/// A policy about a type that takes no part.
fn warn_of_idle(kind: Kind, table: &Table, sync: &Table, cx: &mut Context<'_>) {
    let row = kind.row();
    if let Place::Unread(why) = row.place {
        let problem = format!("{} is not read: {why}", quote(row.name));
        cx.warning(table, "type", problem, "this has no effect; remove it");
    } else if !row.confirmed && sync.get::<bool>("unconfirmed") == Some(false) {
        let problem = format!("{} is not confirmed and takes no part", quote(row.name));
        cx.warning(table, "type", problem, "write unconfirmed = true in [sync], or remove this");
    }
}

fn policy(table: &Table, cx: &mut Context<'_>) -> Option<SyncPolicy> {
    // Said by the caller if there is none.
    let kind = table.get::<String>("type").and_then(|name| Kind::from_name(&name));
    let fields = table.get::<Vec<Item<String>>>("fields");
    if let Some(fields) = &fields {
        refuse_twice(table, "fields", fields, cx);
        for field in fields.iter().filter(|_| kind.is_some()) {
            let row = kind?.row();
            if !row.open && !row.field(&field.value).is_some_and(Field::is_compared) {
                let problem = format!("{} of {} is not kept alike", quote(&field.value), row.name);
                let remedy = format!("`gatekeeper sync coverage --type {}` lists its fields", row.name);
                cx.out.error(field.at, table.place("fields"), problem, remedy);
            }
        }
    }
    let mut word = |key: &str, how: fn(&Type) -> How| {
        let word = if table.is_set(key) { table.get::<String>(key) } else { None };
        if let (Some(word), Some(kind)) = (&word, kind)
            && word != "never"
            && how(kind.row()) == How::No
        {
            let problem = format!("{} cannot be {}d through the API of the VMS", kind, key);
            cx.warning(table, key, problem, "it has no effect; write \"never\", or remove the key");
        }
        word.map(|word| match word.as_str() {
            "auto" => Policy::Auto,
            "approve" => Policy::Approve,
            _ => Policy::Never,
        })
    };
    let (create, update) = (word("create", |t| t.create), word("update", |t| t.update));
    let delete = word("delete", |t| t.delete);
    let both = table.get::<String>("direction")? == "both";
    let fields = fields?.into_iter().map(|item| item.value).collect();
    Some(SyncPolicy { kind: kind?, create, update, delete, both, fields })
}

/// The type that a table is about, or a complaint.
fn kind(table: &Table, cx: &mut Context<'_>) -> Option<Kind> {
    let name = table.get::<String>("type")?;
    let kind = Kind::from_name(&name);
    if kind.is_none() {
        let problem = format!("there is no type of objects {}", quote(&name));
        cx.error(table, "type", problem, "`gatekeeper sync coverage` lists the types");
    }
    kind
}

fn pair(pair: &Table, root: &Table, cx: &mut Context<'_>) -> Option<SyncPair> {
    let mut two = |key: &str| -> Option<[String; 2]> {
        let items = pair.get::<Vec<Item<String>>>(key)?;
        if items.len() != 2 {
            cx.error(pair, key, format!("entries: {}", items.len()), "a pair has two");
        }
        if key == "instances" {
            refuse_twice(pair, key, &items, cx);
            for item in &items {
                let known = |i: &Table| i.get::<String>("name").as_ref() == Some(&item.value);
                if !root.list("instance").iter().any(known) {
                    let problem = format!("there is no instance {}", quote(&item.value));
                    let remedy = "define it with [[instance]] or name another";
                    cx.out.error(item.at, pair.place(key), problem, remedy);
                }
            }
        }
        items.into_iter().map(|item| item.value).collect::<Vec<_>>().try_into().ok()
    };
    let (instances, objects) = (two("instances"), two("objects"));
    let kind = kind(pair, cx);
    let ([one, other], [of_one, of_other]) = (instances?, objects?);
    let mut objects = [(one, of_one), (other, of_other)];
    objects.sort();
    Some(SyncPair { kind: kind?, objects })
}

/// An object has one counterpart on an instance.
fn refuse_second_partners(tables: &[Table], pairs: &[Option<SyncPair>], cx: &mut Context<'_>) {
    for (at, pair) in pairs.iter().enumerate() {
        let Some(pair) = pair else { continue };
        let meets = |other: &SyncPair| {
            let same = |i: usize| pair.objects[i] == other.objects[i];
            let instances = (0..2).all(|i| pair.objects[i].0 == other.objects[i].0);
            other.kind == pair.kind && instances && (same(0) || same(1))
        };
        if pairs[..at].iter().flatten().any(meets) {
            let problem = "one of these objects is in another [[sync.pair]] of these instances";
            cx.error(&tables[at], "objects", problem, "an object has one counterpart; remove one pair");
        }
    }
}

fn check_window(window: &Table, cx: &mut Context<'_>) {
    if let Some(days) = window.get::<Vec<Item<String>>>("days") {
        refuse_twice(window, "days", &days, cx);
        if days.is_empty() {
            cx.error(window, "days", "the list is empty", "name days, or remove the key for every day");
        }
    }
    let ends = (window.get::<String>("from"), window.get::<String>("to"));
    if let (Some(from), Some(to)) = ends
        && from == to
    {
        cx.error(window, "to", "this is the same time as from", "write the time at which it ends");
    }
    if let Some(zone) = window.get::<String>("timezone") {
        let part =
            |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b));
        if !zone.split('/').all(part) {
            let problem = format!("{} is not the name of a time zone", quote(&zone));
            cx.error(window, "timezone", problem, "write a name such as \"Europe/Berlin\" or \"UTC\"");
        }
    }
}
