//! Holds what refers to something that the target does not have, and says which operations have to come
//! first.

use std::collections::{BTreeMap, HashMap};

use super::Act;
use super::draft::{Draft, Found};
use super::part::Parts;
use super::references::{Reference, Target};
use super::scene::Scene;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;

/// How a reference stands.
enum Standing {
    /// The target has it.
    There,
    /// This draft makes it.
    Made(usize),
    /// Nobody will have it; why.
    Nowhere(String),
}

/// Where references lead.
struct Resolver<'a> {
    scene: &'a Scene<'a>,
    parts: &'a Parts,
    made: HashMap<(Side, Kind, Guid), usize>,
    made_by_name: HashMap<(Side, Kind, String), usize>,
    names: [HashMap<Kind, HashMap<String, Guid>>; 2],
    left: &'a BTreeMap<(Side, Kind, Guid), String>,
}

/// A draft needs another one, for the sake of one field; of none: for its parent.
pub(super) type Needs = Vec<Vec<(Option<String>, usize)>>;

/// Looks up every reference. The answer has one list for each draft.
pub(super) fn resolve(found: &mut Found, scene: &Scene<'_>, parts: &Parts) -> Needs {
    let mut needs = Vec::with_capacity(found.drafts.len());
    let mut drafts = std::mem::take(&mut found.drafts);
    let resolver = Resolver::new(&drafts, scene, parts, &found.left);
    for draft in &mut drafts {
        needs.push(resolver.draft(draft));
    }
    found.drafts = drafts;
    needs
}

impl<'a> Resolver<'a> {
    fn new(
        drafts: &[Draft],
        scene: &'a Scene<'a>,
        parts: &'a Parts,
        left: &'a BTreeMap<(Side, Kind, Guid), String>,
    ) -> Self {
        let (mut made, mut made_by_name) = (HashMap::new(), HashMap::new());
        for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.act == Act::Create) {
            if let Some(id) = draft.ids[draft.from.index()] {
                made.insert((draft.from, draft.kind, id), at);
            }
            made_by_name.insert((draft.from, draft.kind, draft.name.to_lowercase()), at);
        }
        let named = drafts.iter().flat_map(|draft| &draft.references).filter_map(|reference| match reference
            .target
        {
            Target::Named(kind, _) => Some(kind),
            _ => None,
        });
        let mut names: [HashMap<Kind, HashMap<String, Guid>>; 2] = Default::default();
        for kind in named {
            for side in Side::BOTH {
                let objects = scene.input.sides[side.index()].trusted(kind).unwrap_or_default();
                names[side.index()].entry(kind).or_insert_with(|| {
                    objects.iter().map(|object| (object.name.to_lowercase(), object.id)).collect()
                });
            }
        }
        Self { scene, parts, made, made_by_name, names, left }
    }

    fn draft(&self, draft: &mut Draft) -> Vec<(Option<String>, usize)> {
        let mut needs = Vec::new();
        let references = std::mem::take(&mut draft.references);
        for reference in &references {
            match self.reference(draft, reference) {
                Standing::There => {}
                Standing::Made(at) => needs.push((Some(reference.field.clone()), at)),
                Standing::Nowhere(why) => draft.hold(format!("{}: {why}", reference.field)),
            }
        }
        draft.references = references;
        let within = draft.kind.row().within.and_then(Kind::from_name);
        if draft.act == Act::Create
            && let (Some(id), Some(kind)) = (draft.parent, within)
        {
            match self.object(draft.from, kind, id) {
                Standing::There => {}
                Standing::Made(at) => needs.push((None, at)),
                Standing::Nowhere(why) => draft.hold(format!("its parent: {why}")),
            }
            draft.parent = Some(self.scene.ids.on(draft.target(), id).unwrap_or(id));
        }
        needs
    }

    fn reference(&self, draft: &Draft, reference: &Reference) -> Standing {
        match (&reference.target, reference.id) {
            (Target::Kind(kind), Some(id)) => self.object(draft.from, *kind, id),
            (Target::Unknown(name), Some(id)) => match self.scene.ids.on(draft.target(), id) {
                Some(_) => Standing::There,
                None => Standing::Nowhere(format!("refers to {name} {id}, which sync does not know")),
            },
            (Target::Named(kind, name), _) => self.named(draft, *kind, name),
            (Target::Anything, Some(id)) => self.anything(draft, reference, id),
            (_, None) => Standing::There,
        }
    }

    /// An object of this type, by its id on the side `from`.
    fn object(&self, from: Side, kind: Kind, id: Guid) -> Standing {
        if self.scene.find(from, kind, id).is_none()
            && let Some((kind, id)) = self.scene.aliased(from, id)
        {
            return self.object(from, kind, id);
        }
        let target = from.other();
        if self.parts.faulty.contains(&kind) {
            return Standing::Nowhere(format!("refers to {kind}, which could not be read"));
        }
        let partner = self.scene.ids.on(target, id);
        let own = self.scene.find(from, kind, id);
        let shown = own.map_or_else(|| id.to_string(), |object| format!("'{}'", object.name));
        let [Some(_), Some(_)] = self.scene.input.sides.map(|side| side.trusted(kind)) else {
            return match partner {
                Some(_) => Standing::There,
                None => Standing::Nowhere(format!("refers to {kind} {id}, which is not read")),
            };
        };
        if let Some(partner) = partner {
            return match self.scene.find(target, kind, partner) {
                Some(_) => Standing::There,
                None => {
                    let instance = self.scene.instance(target);
                    Standing::Nowhere(format!("refers to {kind} {shown}, which is missing on {instance}"))
                }
            };
        }
        if let Some(at) = self.made.get(&(from, kind, id)) {
            return Standing::Made(*at);
        }
        if let Some(why) = self.left.get(&(from, kind, id)) {
            let hint = if kind.row().keys.is_empty() { ": [[sync.pair]]" } else { "" };
            return Standing::Nowhere(format!("refers to {kind} {shown} which is not paired{hint} ({why})"));
        }
        match (own, self.scene.find(target, kind, id)) {
            (Some(_), Some(_)) => Standing::There,
            (Some(_), None) => {
                let why = self.parts.out.get(&kind).map(|why| format!(" ({why})")).unwrap_or_default();
                let hint = if kind.row().keys.is_empty() { ": [[sync.pair]]" } else { "" };
                Standing::Nowhere(format!("refers to {kind} {shown} which is not paired{hint}{why}"))
            }
            (None, _) => {
                let instance = self.scene.instance(from);
                Standing::Nowhere(format!("refers to {kind} {id}, which {instance} does not have"))
            }
        }
    }

    fn named(&self, draft: &Draft, kind: Kind, name: &str) -> Standing {
        let target = draft.target();
        if self.parts.faulty.contains(&kind) {
            return Standing::Nowhere(format!("refers to {kind}, which could not be read"));
        }
        let name_lower = name.to_lowercase();
        let is_there =
            self.names[target.index()].get(&kind).is_some_and(|names| names.contains_key(&name_lower));
        match self.made_by_name.get(&(draft.from, kind, name_lower)) {
            _ if is_there => Standing::There,
            Some(at) => Standing::Made(*at),
            None => {
                let instance = self.scene.instance(target);
                Standing::Nowhere(format!("refers to {kind} '{name}', which {instance} does not have"))
            }
        }
    }

    /// A GUID in a text that nobody has described: an object of any type, or no object at all.
    fn anything(&self, draft: &Draft, reference: &Reference, id: Guid) -> Standing {
        if let Some((kind, id)) = self.scene.aliased(draft.from, id) {
            return self.object(draft.from, kind, id);
        }
        let known = self.scene.input.sides[draft.from.index()].lists.keys().copied();
        let mut known = known.filter(|kind| self.scene.find(draft.from, *kind, id).is_some());
        if let Some(kind) = known.next() {
            return self.object(draft.from, kind, id);
        }
        let may_be_own = draft.kind.row().field(&reference.field).is_none();
        match self.scene.ids.on(draft.target(), id) {
            Some(_) => Standing::There,
            None if !self.parts.faulty.is_empty() => {
                Standing::Nowhere(format!("refers to {id}, which may be of a type that could not be read"))
            }
            None if may_be_own => Standing::Nowhere(format!(
                "refers to {id}, which sync does not know: it may be another one there"
            )),
            None => Standing::There,
        }
    }
}
