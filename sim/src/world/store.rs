//! Objects by type, by parent and by group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::history::{Before, History};
use crate::stamp::Stamp;

/// Type name of the catalogue.
pub type Kind = &'static str;

/// One object. Fields hold only what differs from the type's defaults.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its type.
    pub kind: Kind,
    /// Lower-case id.
    pub id: String,
    /// The object above it.
    pub parent: Option<(Kind, String)>,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// Index of the (first) physical camera it belongs to; decides what guards see.
    pub physical: Option<usize>,
    /// Ships with the product: cannot be deleted.
    pub built_in: bool,
}

impl Object {
    /// An object without parent and fields.
    pub fn new(kind: Kind, id: String) -> Self {
        Self { kind, id, parent: None, fields: Map::new(), physical: None, built_in: false }
    }

    /// Below that object.
    pub fn below(mut self, kind: Kind, id: &str) -> Self {
        self.parent = Some((kind, id.to_owned()));
        self
    }

    /// With these fields; anything but a JSON object is ignored.
    pub fn with(mut self, fields: Value) -> Self {
        if let Value::Object(fields) = fields {
            self.fields.extend(fields);
        }
        self
    }

    /// Of that physical camera.
    pub fn at(mut self, physical: usize) -> Self {
        self.physical = Some(physical);
        self
    }

    /// Shipped with the product.
    pub fn built_in(mut self) -> Self {
        self.built_in = true;
        self
    }

    /// A text field, empty if there is none.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }
}

/// All objects, each type in order of creation.
#[derive(Default)]
pub struct Store {
    next: u64,
    tables: BTreeMap<Kind, Table>,
    children: HashMap<(Kind, String), BTreeSet<u64>>,
    members: HashMap<(String, Kind), Vec<String>>,
    history: History,
}

#[derive(Default)]
struct Table {
    objects: BTreeMap<u64, Object>,
    by_id: HashMap<String, u64>,
}

impl Store {
    /// Adds an object; one with the same type and id is replaced.
    pub fn insert(&mut self, object: Object) {
        self.remove(object.kind, &object.id);
        self.history.note(|| Before::Object(object.kind, object.id.clone(), None));
        let number = self.next;
        self.next += 1;
        self.place(number, object);
    }

    fn place(&mut self, number: u64, object: Object) {
        if let Some((_, parent)) = &object.parent {
            self.children.entry((object.kind, parent.clone())).or_default().insert(number);
        }
        let table = self.tables.entry(object.kind).or_default();
        table.by_id.insert(object.id.clone(), number);
        table.objects.insert(number, object);
    }

    /// Stores a changed object in the place that it has; a new one comes last.
    pub fn put(&mut self, object: Object) {
        match self.get_mut(object.kind, &object.id) {
            Some(place) if place.parent == object.parent => *place = object,
            _ => self.insert(object),
        }
    }

    /// Lets two objects of a type that have the same parent change their places.
    pub fn swap(&mut self, kind: Kind, one: &str, other: &str) {
        let Some(table) = self.tables.get_mut(kind) else { return };
        let (Some(a), Some(b)) = (table.by_id.get(one).copied(), table.by_id.get(other).copied()) else {
            return;
        };
        if let (Some(first), Some(second)) = (table.objects.remove(&a), table.objects.remove(&b)) {
            table.by_id.insert(first.id.clone(), b);
            table.by_id.insert(second.id.clone(), a);
            table.objects.insert(b, first);
            table.objects.insert(a, second);
        }
    }

    /// Takes an object out, and out of every group.
    pub fn remove(&mut self, kind: Kind, id: &str) -> Option<Object> {
        let (number, object) = self.take(kind, id)?;
        self.history.note(|| Before::Object(kind, id.to_owned(), Some((number, object.clone()))));
        for ((group, member), list) in &mut self.members {
            let (is_group, is_member) =
                (group == id, *member == kind && list.iter().any(|entry| entry == id));
            if is_group || is_member {
                self.history.note(|| Before::Members(group.clone(), member, list.clone()));
                list.retain(|entry| !is_group && entry != id);
            }
        }
        Some(object)
    }

    fn take(&mut self, kind: Kind, id: &str) -> Option<(u64, Object)> {
        let table = self.tables.get_mut(kind)?;
        let number = table.by_id.remove(id)?;
        let object = table.objects.remove(&number)?;
        if let Some((_, parent)) = &object.parent
            && let Some(siblings) = self.children.get_mut(&(kind, parent.clone()))
        {
            siblings.remove(&number);
        }
        Some((number, object))
    }

    /// Puts an object below another one.
    pub fn reparent(&mut self, kind: Kind, id: &str, parent_kind: Kind, parent: &str) {
        let Some(number) = self.tables.get(kind).and_then(|table| table.by_id.get(id)).copied() else {
            return;
        };
        let Some(object) = self.get_mut(kind, id) else { return };
        let old = object.parent.replace((parent_kind, parent.to_owned()));
        if let Some((_, old)) = old
            && let Some(siblings) = self.children.get_mut(&(kind, old))
        {
            siblings.remove(&number);
        }
        self.children.entry((kind, parent.to_owned())).or_default().insert(number);
    }

    /// An object.
    pub fn get(&self, kind: &str, id: &str) -> Option<&Object> {
        let table = self.tables.get(kind)?;
        table.objects.get(table.by_id.get(id)?)
    }

    /// An object, to change its fields.
    pub fn get_mut(&mut self, kind: &str, id: &str) -> Option<&mut Object> {
        let table = self.tables.get_mut(kind)?;
        let number = table.by_id.get(id)?;
        let object = table.objects.get_mut(number)?;
        self.history.note(|| Before::Object(object.kind, object.id.clone(), Some((*number, object.clone()))));
        Some(object)
    }

    /// All objects of a type.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.tables.get(kind).into_iter().flat_map(|table| table.objects.values())
    }

    /// Number of objects of a type.
    pub fn count(&self, kind: &str) -> usize {
        self.tables.get(kind).map_or(0, |table| table.objects.len())
    }

    /// Objects of a type below a parent.
    pub fn children(&self, kind: Kind, parent: &str) -> impl Iterator<Item = &Object> {
        let numbers = self.children.get(&(kind, parent.to_owned())).into_iter().flatten();
        numbers.filter_map(move |number| self.tables.get(kind)?.objects.get(number))
    }

    /// Ids of a group's members of a type.
    pub fn members(&self, group: &str, kind: Kind) -> &[String] {
        self.members.get(&(group.to_owned(), kind)).map_or(&[], Vec::as_slice)
    }

    /// Adds a member to a group; false if it is in already.
    pub fn add_member(&mut self, group: &str, kind: Kind, id: &str) -> bool {
        let list = self.members.entry((group.to_owned(), kind)).or_default();
        let new = !list.iter().any(|member| member == id);
        if new {
            self.history.note(|| Before::Members(group.to_owned(), kind, list.clone()));
            list.push(id.to_owned());
        }
        new
    }

    /// Sets the members of a group at once; the caller names each once.
    pub fn set_members(&mut self, group: &str, kind: Kind, ids: Vec<String>) {
        let before = self.members.insert((group.to_owned(), kind), ids).unwrap_or_default();
        self.history.note(|| Before::Members(group.to_owned(), kind, before));
    }

    /// Takes a member out of a group; false if it was not in.
    pub fn remove_member(&mut self, group: &str, kind: Kind, id: &str) -> bool {
        let Some(list) = self.members.get_mut(&(group.to_owned(), kind)) else { return false };
        if !list.iter().any(|member| member == id) {
            return false;
        }
        self.history.note(|| Before::Members(group.to_owned(), kind, list.clone()));
        list.retain(|member| member != id);
        true
    }

    /// What is kept to go back.
    pub fn history(&mut self) -> &mut History {
        &mut self.history
    }

    /// Sets everything back to what it was at a moment.
    pub fn restore(&mut self, moment: Stamp) {
        for before in self.history.since(moment) {
            match before {
                Before::Object(kind, id, before) => {
                    let now = self.take(kind, &id);
                    if let Some((number, object)) = before {
                        self.place(number, object);
                    }
                    self.history.note(|| Before::Object(kind, id, now));
                }
                Before::Members(group, kind, before) => self.set_members(&group, kind, before),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn objects_are_found_by_id_parent_and_group() {
        let mut store = Store::default();
        for id in ["b", "a"] {
            store.insert(Object::new("cameras", id.to_owned()).below("hardware", "h"));
        }
        store.insert(Object::new("hardware", "h".to_owned()));
        assert!(store.add_member("g", "cameras", "a") && !store.add_member("g", "cameras", "a"));
        let order: Vec<_> = store.children("cameras", "h").map(|object| object.id.as_str()).collect();
        assert_eq!(order, ["b", "a"], "in order of creation");
        assert_eq!(store.members("g", "cameras"), ["a"]);
        store.reparent("cameras", "b", "hardware", "h2");
        assert_eq!(store.children("cameras", "h2").count(), 1);
        store.remove("cameras", "a").unwrap();
        assert!(store.get("cameras", "a").is_none() && store.members("g", "cameras").is_empty());
        assert_eq!(store.children("cameras", "h").count(), 0);
    }

    /// Everything that can be seen of objects `a` to `c` and of group `g`.
    fn picture(store: &Store) -> Vec<String> {
        let objects = store.all("cameras").map(|object| format!("{} {:?}", object.id, object.fields));
        let children = ["h", "i"].map(|parent| {
            format!("{:?}", store.children("cameras", parent).map(|object| &object.id).collect::<Vec<_>>())
        });
        objects.chain(children).chain(store.members("g", "cameras").iter().cloned()).collect()
    }

    #[test]
    fn any_moment_comes_back() {
        let mut store = Store::default();
        for id in ["a", "b"] {
            store.insert(Object::new("cameras", id.to_owned()).below("hardware", "h"));
        }
        store.history().begin();
        let changes: [fn(&mut Store); 8] = [
            |store| assert!(store.add_member("g", "cameras", "a")),
            |store| store.set_members("g", "cameras", vec!["b".into(), "a".into()]),
            |store| store.get_mut("cameras", "a").unwrap().set("name", "new"),
            |store| drop(store.remove("cameras", "a")),
            |store| store.insert(Object::new("cameras", "c".to_owned()).below("hardware", "i")),
            |store| store.insert(Object::new("cameras", "a".to_owned()).below("hardware", "i")),
            |store| store.reparent("cameras", "b", "hardware", "i"),
            |store| assert!(store.remove_member("g", "cameras", "b")),
        ];
        let next = || {
            // The clock goes on.
            let now = Stamp::now();
            while Stamp::now() <= now {}
            Stamp::now()
        };
        let mut moments = vec![(next(), picture(&store))];
        for change in changes {
            next();
            change(&mut store);
            moments.push((next(), picture(&store)));
        }
        assert!(moments.windows(2).all(|pair| pair[0].1 != pair[1].1));
        for order in [[0, 8, 3, 6], [8, 0, 5, 1], [4, 2, 7, 0]] {
            for at in order {
                store.restore(moments[at].0);
                assert_eq!(picture(&store), moments[at].1, "{at}");
            }
        }
        store.remove("cameras", "b").unwrap();
        assert!(store.get("cameras", "b").is_none() && store.get("cameras", "a").is_some());
    }
}
