//! `[[site]]`: names, hosts and the instances that serve.

use std::collections::HashMap;

use super::profile::{self, Uses};
use super::{Context, refuse_twice};
use crate::config::raw::Table;
use crate::config::types::{Ids, InstanceId, Site, TwinBinding, TwinPolicy};
use crate::config::value::{Item, quote};

const MOST: usize = u16::MAX as usize;

pub(super) fn convert(root: &Table, cx: &mut Context<'_>) -> Option<Vec<Site>> {
    let tables = root.list("site");
    if root.lacks_list("site") {
        cx.out.error(None, "", "there is no [[site]]", "add one with name, hosts and primary");
        return None;
    }
    if tables.len() > MOST {
        cx.out.error(None, "", format!("there are more than {MOST} sites"), "use several gatekeepers");
        return None;
    }
    // Names by place in the file, also of instances that are otherwise wrong: a reference to one
    // of them is not a second mistake.
    let known: Vec<Option<String>> = root.list("instance").iter().map(|i| i.get("name")).collect();
    let mut all = All { known, names: Vec::new(), hosts: HashMap::new(), uses: Uses::default() };
    let sites: Vec<Option<Site>> = tables.iter().map(|t| site(t, &mut all, cx)).collect();
    for (instance, table) in root.list("instance").iter().enumerate() {
        if !all.uses.contains(instance) && table.get::<String>("name").is_some() {
            let problem = format!("no site uses {}", table.name());
            cx.out.warning(table.at, "", problem, "name it as primary or standby, or remove it");
        }
    }
    sites.into_iter().collect()
}

/// What the sites so far have taken.
struct All {
    known: Vec<Option<String>>,
    names: Vec<String>,
    /// Host and the site that has it.
    hosts: HashMap<String, String>,
    uses: Uses,
}

fn site(table: &Table, all: &mut All, cx: &mut Context<'_>) -> Option<Site> {
    let name = table.get::<String>("name");
    if let Some(name) = &name {
        if all.names.contains(name) {
            let problem = format!("there is another [[site]] {}", quote(name));
            cx.error(table, "name", problem, "choose another name");
        }
        all.names.push(name.clone());
    }
    let hosts = hosts(table, all, cx);
    let primary = primary(table, all, cx);
    let standby = standby(table, all, cx);
    let profile = profile::convert(table, cx);
    let ids = profile::ids(table);
    let essential = profile::essential(table, cx);

    let used = primary.iter().chain(standby.iter().flatten()).copied();
    if let Some(profile) = &profile {
        all.uses.add(table, profile, used, cx);
    } else {
        all.uses.note(used);
    }

    let twin = match table.get::<String>("twin")?.as_str() {
        // Such clients hold ids that mean nothing at the other instance.
        _ if ids == Some(Ids::Native) => TwinPolicy::Nobody,
        "all" => TwinPolicy::All,
        "non-administrators" => TwinPolicy::NonAdministrators,
        _ => TwinPolicy::Nobody,
    };
    let anywhere = table.get::<String>("twin_binding")? == "none";
    let twin_binding = if anywhere { TwinBinding::Nothing } else { TwinBinding::Address };
    let (hosts, any_host) = hosts?;
    Some(Site {
        name: name?,
        hosts,
        any_host,
        profile: profile?,
        primary: primary?,
        standby: standby?,
        ids: ids?,
        essential: essential?,
        twin,
        twin_binding,
    })
}

fn hosts(table: &Table, all: &mut All, cx: &mut Context<'_>) -> Option<(Vec<String>, bool)> {
    let items = table.get::<Vec<Item<String>>>("hosts")?;
    if items.is_empty() {
        let remedy = "name the hosts, or write [\"*\"] for all that no other site has";
        cx.error(table, "hosts", "the list is empty", remedy);
        return None;
    }
    let any = items.iter().any(|h| h.value == "*");
    if any && items.len() > 1 {
        let problem = "\"*\" stands beside other names";
        cx.error(table, "hosts", problem, "write [\"*\"] alone, or give the names a site of their own");
        return None;
    }
    refuse_twice(table, "hosts", &items, cx);
    for item in &items {
        if let Some(other) = all.hosts.get(&item.value).filter(|site| site.as_str() != table.name()) {
            let problem = format!("{} also belongs to {other}", quote(&item.value));
            cx.out.error(item.at, table.place("hosts"), problem, "a host can have one site only");
        }
        all.hosts.entry(item.value.clone()).or_insert_with(|| table.name().to_owned());
    }
    let names = if any { Vec::new() } else { items.into_iter().map(|h| h.value).collect() };
    Some((names, any))
}

fn primary(table: &Table, all: &All, cx: &mut Context<'_>) -> Option<InstanceId> {
    let name = table.get::<String>("primary")?;
    let found = all.find(&name);
    if found.is_none() {
        cx.error(table, "primary", no_instance(&name), "define it with [[instance]] or name another");
    }
    found
}

fn standby(table: &Table, all: &All, cx: &mut Context<'_>) -> Option<Vec<InstanceId>> {
    let items = table.get::<Vec<Item<String>>>("standby")?;
    let primary = table.get::<String>("primary");
    let mut good = refuse_twice(table, "standby", &items, cx);
    let mut ids = Vec::new();
    for item in &items {
        match all.find(&item.value) {
            Some(_) if primary.as_ref() == Some(&item.value) => {
                let problem = format!("{} is also the primary", quote(&item.value));
                cx.out.error(
                    item.at,
                    table.place("standby"),
                    problem,
                    "an instance cannot replace itself; remove it here",
                );
                good = false;
            }
            Some(id) => ids.push(id),
            None => {
                let remedy = "define it with [[instance]] or remove it here";
                cx.out.error(item.at, table.place("standby"), no_instance(&item.value), remedy);
                good = false;
            }
        }
    }
    if items.is_empty() {
        cx.warning(
            table,
            "standby",
            "there is none: nothing takes over when the primary fails",
            "name an instance",
        );
    }
    good.then_some(ids)
}

fn no_instance(name: &str) -> String {
    format!("there is no instance {}", quote(name))
}

impl All {
    fn find(&self, name: &str) -> Option<InstanceId> {
        let at = self.known.iter().position(|known| known.as_deref() == Some(name))?;
        u16::try_from(at).ok().map(InstanceId)
    }
}
