//! `[sync]` and below. What nothing uses yet is checked and then forgotten.

use std::time::Duration;

use super::{Context, refuse_twice};
use crate::config::raw::Table;
use crate::config::types::Sync;
use crate::config::value::{Item, quote, show_time};

pub(super) fn convert(root: &Table, cx: &mut Context<'_>) -> Option<Sync> {
    let sync = root.table("sync")?;
    let full_interval = intervals(sync, cx);
    policies(sync, cx);
    for pair in sync.list("pair") {
        check_pair(pair, root, cx);
    }
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
    Some(Sync { full_interval: full_interval? })
}

fn intervals(sync: &Table, cx: &mut Context<'_>) -> Option<Duration> {
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
    Some(full)
}

fn policies(sync: &Table, cx: &mut Context<'_>) {
    let mut known: Vec<String> = Vec::new();
    for policy in sync.list("policy") {
        let Some(kind) = policy.get::<String>("type") else { continue };
        if let Some(fields) = policy.get::<Vec<Item<String>>>("fields") {
            refuse_twice(policy, "fields", &fields, cx);
        }
        if known.contains(&kind) {
            let problem = format!("there is another [[sync.policy]] for {}", quote(&kind));
            cx.error(policy, "type", problem, "join them");
        }
        known.push(kind);
    }
}

fn check_pair(pair: &Table, root: &Table, cx: &mut Context<'_>) {
    for key in ["instances", "objects"] {
        let Some(items) = pair.get::<Vec<Item<String>>>(key) else { continue };
        if items.len() != 2 {
            cx.error(pair, key, format!("entries: {}", items.len()), "a pair has two");
        }
        if key == "objects" {
            continue;
        }
        refuse_twice(pair, key, &items, cx);
        for item in &items {
            let known =
                root.list("instance").iter().any(|i| i.get::<String>("name").as_ref() == Some(&item.value));
            if !known {
                let problem = format!("there is no instance {}", quote(&item.value));
                cx.out.error(
                    item.at,
                    pair.place(key),
                    problem,
                    "define it with [[instance]] or name another",
                );
            }
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
