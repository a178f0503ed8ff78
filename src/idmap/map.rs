//! The identity map: which GUID on one instance is which on another.
//!
//! Immutable; a new one is built from all links whenever links or the configuration change. Sites and
//! instances are named, not numbered: links outlive reloads, and a request may hold the map of one
//! configuration and the snapshot of the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use prometheus::IntCounter;
use thiserror::Error;

use super::guid::Guid;
use crate::config::types::{Config, Ids, Site};
use crate::metrics::Metrics;

/// The same object on several instances.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// What it is: the name of the REST collection, such as `cameras`.
    pub kind: String,
    /// Name of an instance and the object's id there; two or more.
    pub ids: Vec<(String, Guid)>,
}

/// All links of a configuration, ready to be asked.
#[derive(Debug, Default)]
pub struct Map {
    sites: HashMap<String, Vec<(String, Arc<View>)>>,
}

/// Ids as one instance of one site knows them.
#[derive(Debug)]
pub struct View {
    /// Any id that an instance of the site has for a linked object, and the id that this one has.
    ids: HashMap<Guid, Guid>,
    without_partner: IntCounter,
}

/// Links of a site by which one id would mean two objects. All of them are ignored: a request for
/// the wrong object is worse than one that finds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("site {site:?}: {fault}; ignored: {}", all(.links))]
pub struct Contradiction {
    /// Name of the site.
    pub site: String,
    /// Which id, and why.
    pub fault: Fault,
    /// The links that do not agree.
    pub links: Vec<Link>,
}

/// How links can contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// One object would be two on an instance.
    #[error("one object would be {} and {} on {instance}", .ids[0], .ids[1])]
    TwoIds {
        /// Where.
        instance: String,
        /// Two of its ids.
        ids: [Guid; 2],
    },
    /// Two objects would share an id.
    #[error("{id} would be two objects")]
    TwoObjects {
        /// Which.
        id: Guid,
    },
    /// The id that stands for no object is linked.
    #[error("the empty id is linked")]
    Nil,
}

impl Map {
    /// Builds the map for the sites of `config` that translate ids. Links of instances that the
    /// configuration does not have are left out silently.
    pub fn new(config: &Config, links: &[Link], metrics: &Metrics) -> (Self, Vec<Contradiction>) {
        let (mut map, mut contradictions) = (Self::default(), Vec::new());
        for site in config.sites.iter().filter(|site| site.ids == Ids::Canonical) {
            let instances: Vec<&str> = names(config, site).collect();
            let (objects, faults) = objects(&instances, links);
            contradictions.extend(faults.into_iter().map(|(fault, links)| Contradiction {
                site: site.name.clone(),
                fault,
                links: links.into_iter().cloned().collect(),
            }));
            if objects.is_empty() {
                continue;
            }
            let counter = metrics.ids_without_partner(&site.name);
            let views = instances.iter().map(|name| {
                let view = View { ids: ids_for(name, &objects), without_partner: counter.clone() };
                ((*name).to_owned(), Arc::new(view))
            });
            map.sites.insert(site.name.clone(), views.collect());
        }
        (map, contradictions)
    }

    /// Nothing is linked: no request needs to be looked at.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Whether ids of this site are translated.
    pub fn has(&self, site: &str) -> bool {
        self.sites.contains_key(site)
    }

    /// How `instance` knows the objects of `site`; that of the primary is canonical. `None`: nothing
    /// is translated for this site.
    pub fn view(&self, site: &str, instance: &str) -> Option<&Arc<View>> {
        self.sites.get(site)?.iter().find(|(name, _)| name == instance).map(|(_, view)| view)
    }
}

impl View {
    /// This instance's id for the object that some instance of the site knows as `id`.
    pub fn find(&self, id: Guid) -> Option<Guid> {
        self.ids.get(&id).copied()
    }

    /// Counts GUIDs that [`View::find`] did not know.
    pub fn count_without_partner(&self, count: u64) {
        if count > 0 {
            self.without_partner.inc_by(count);
        }
    }
}

/// One object: its id on each instance that has it.
type Object<'a> = BTreeMap<&'a str, Guid>;

/// What links say together about one object.
#[derive(Default)]
struct Group<'a> {
    ids: Object<'a>,
    links: Vec<&'a Link>,
    fault: Option<Fault>,
}

type Faults<'a> = Vec<(Fault, Vec<&'a Link>)>;

/// The objects that the links describe, as far as these instances have them. Links that share an id
/// on an instance are about one object: A-B and A-C also say B-C.
fn objects<'a>(instances: &[&str], links: &'a [Link]) -> (Vec<Object<'a>>, Faults<'a>) {
    let mut groups = groups(instances, links);
    let mut owner: HashMap<Guid, usize> = HashMap::new();
    let mut shared: Vec<(usize, usize, Guid)> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        for id in group.links.iter().flat_map(|link| &link.ids).filter(|(name, _)| is_one(instances, name)) {
            let first = *owner.entry(id.1).or_insert(at);
            if first != at {
                shared.push((first, at, id.1));
            }
        }
    }
    for (one, other, id) in shared {
        for at in [one, other] {
            groups[at].fault.get_or_insert(Fault::TwoObjects { id });
        }
    }
    let (mut objects, mut faults) = (Vec::new(), Vec::new());
    for group in groups {
        match group.fault {
            Some(fault) => faults.push((fault, group.links)),
            None => objects.push(group.ids),
        }
    }
    (objects, faults)
}

/// Puts links together that share an id on an instance, in the order of their first link.
fn groups<'a>(instances: &[&str], links: &'a [Link]) -> Vec<Group<'a>> {
    // A forest over the links; whoever stands at a root stands for its group.
    let mut parents: Vec<usize> = (0..links.len()).collect();
    let mut seen: HashMap<(&str, Guid), usize> = HashMap::new();
    let here = |link: &'a Link| {
        let ids = link.ids.iter().filter(|(name, _)| is_one(instances, name));
        ids.map(|(name, id)| (name.as_str(), *id))
    };
    // Nothing to translate: fewer than two of these instances.
    let used: Vec<bool> =
        links.iter().map(|link| here(link).map(|(name, _)| name).collect::<HashSet<_>>().len() > 1).collect();
    for (at, link) in links.iter().enumerate().filter(|(at, _)| used[*at]) {
        for id in here(link) {
            let other = *seen.entry(id).or_insert(at);
            let (a, b) = (root(&mut parents, at), root(&mut parents, other));
            parents[a.max(b)] = a.min(b);
        }
    }
    let mut found: BTreeMap<usize, Group<'a>> = BTreeMap::new();
    for (at, link) in links.iter().enumerate().filter(|(at, _)| used[*at]) {
        let group = found.entry(root(&mut parents, at)).or_default();
        group.links.push(link);
        for (instance, id) in here(link) {
            let known = *group.ids.entry(instance).or_insert(id);
            if id == Guid::NIL {
                group.fault.get_or_insert(Fault::Nil);
            } else if known != id {
                let instance = instance.to_owned();
                group.fault.get_or_insert(Fault::TwoIds { instance, ids: [known, id] });
            }
        }
    }
    found.into_values().collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        // Halves the way for the next one who asks.
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

/// Every id of an object that `instance` has, and the one that it has.
fn ids_for(instance: &str, objects: &[Object<'_>]) -> HashMap<Guid, Guid> {
    let having = objects.iter().filter_map(|object| Some((object, *object.get(instance)?)));
    having.flat_map(|(object, own)| object.values().map(move |id| (*id, own))).collect()
}

fn names<'a>(config: &'a Config, site: &'a Site) -> impl Iterator<Item = &'a str> {
    site.candidates().map(|id| config.instance(id).name.as_str())
}

fn is_one(instances: &[&str], name: &str) -> bool {
    instances.contains(&name)
}

fn all(links: &[Link]) -> String {
    let one = |link: &Link| {
        let ids: Vec<String> = link.ids.iter().map(|(name, id)| format!("{name}={id}")).collect();
        format!("{} {}", link.kind, ids.join(" "))
    };
    let mut text: Vec<String> = links.iter().take(MOST_NAMED).map(one).collect();
    if links.len() > MOST_NAMED {
        text.push(format!("and {} more", links.len() - MOST_NAMED));
    }
    text.join(", ")
}

/// Links in the text of an error: a broken matcher must not fill the log.
const MOST_NAMED: usize = 4;

#[cfg(test)]
mod tests;
