//! Small worlds: two sides, what is the same, what was agreed.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::idmap::guid::Guid;
use crate::sync::catalogue::field::Shape;
use crate::sync::catalogue::{Kind, Policy};
use crate::sync::pair::{Confidence, Pair, Pairs, Side};
use crate::sync::plan::{Bases, Digest, Input, Missing, Plan, Rules, TypePolicy, plan};
use crate::sync::snapshot::{Body, Distrust, Listing, Object, Snapshot};

pub const A: Side = Side::A;
pub const B: Side = Side::B;

/// Bases in memory.
#[derive(Clone, Default)]
pub struct Agreed(pub HashMap<Pair, Body>);

impl Bases for Agreed {
    fn digest(&self, pair: &Pair) -> Option<Digest> {
        self.0.get(pair).map(Body::digest)
    }

    fn body(&self, pair: &Pair) -> Option<Body> {
        self.0.get(pair).cloned()
    }
}

/// All that a plan follows from.
#[derive(Clone)]
pub struct World {
    pub sides: [Snapshot; 2],
    pub source: Side,
    pub pairs: Pairs,
    pub replaced: BTreeMap<Pair, Pair>,
    pub disputed: Vec<(Side, Kind, Guid, String)>,
    pub bases: Agreed,
    pub missing: BTreeMap<(Side, Kind, Guid), Missing>,
    pub rules: Rules,
    pub now_unix: u64,
}

/// Its id on A ends in `n`, on B in `b` and `n`.
pub fn id(side: Side, n: u32) -> Guid {
    let half = if side == A { 0 } else { 0xb000_0000 };
    Guid::new((0x1111_2222_3333_4444_5555_6666_0000_0000_u128 | half | u128::from(n)).to_be_bytes())
}

pub fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap_or_else(|| panic!("{name} is no type"))
}

/// A body with these fields; the other ones of the catalogue have nothing special.
pub fn body(kind: Kind, fields: &Value) -> Body {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for field in kind.row().fields.iter().filter(|field| field.is_compared()) {
        all.insert(field.name.to_owned(), if field.optional { Value::Null } else { plain(&field.shape) });
    }
    for (name, value) in fields.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    for field in &kind.row().fields {
        if let (Shape::Set(_), Some(Value::Array(items))) = (&field.shape, all.get_mut(field.name)) {
            items.sort_by_key(Value::to_string);
            items.dedup();
        }
    }
    Body::new(serde_json::to_vec(&all).unwrap())
}

fn plain(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!(""),
        Shape::Integer | Shape::Number => json!(0),
        Shape::Flag => json!(false),
        Shape::Date | Shape::Guid | Shape::Reference(..) => Value::Null,
        Shape::Word(words) => json!(words[0]),
        Shape::Any => json!({}),
        Shape::List(_) | Shape::Set(_) => json!([]),
    }
}

impl World {
    /// Nothing on either side; the primary is A, the baseline is confirmed.
    pub fn new() -> Self {
        let side = |name: &str| Snapshot {
            instance: name.to_owned(),
            version: "25.2".into(),
            ..Snapshot::default()
        };
        Self {
            sides: [side("a"), side("b")],
            source: A,
            pairs: Pairs::new(),
            replaced: BTreeMap::new(),
            disputed: Vec::new(),
            bases: Agreed::default(),
            missing: BTreeMap::new(),
            rules: Rules {
                policies: BTreeMap::new(),
                unconfirmed: true,
                baseline: true,
                delete_readings: 2,
                delete_age_s: 900,
            },
            now_unix: 1_800_000_000,
        }
    }

    /// Both sides have a list of this type.
    pub fn list(&mut self, name: &str) -> Kind {
        let kind = kind(name);
        for side in &mut self.sides {
            side.lists.entry(kind).or_default();
        }
        kind
    }

    /// Puts an object on a side, in place of the one with its id.
    pub fn put(&mut self, side: Side, name: &str, n: u32, fields: &Value) -> Guid {
        let kind = self.list(name);
        let id = id(side, n);
        let label = fields.get("name").and_then(Value::as_str).unwrap_or_default();
        let object = Object {
            id,
            name: label.into(),
            parent: None,
            key: "".into(),
            modified_ms: None,
            builtin: false,
            alias: None,
            body: body(kind, fields),
        };
        let listing = self.listing(side, kind);
        listing.objects.retain(|object| object.id != id);
        listing.objects.push(object);
        listing.objects.sort_by_key(|object| object.id);
        id
    }

    pub fn listing(&mut self, side: Side, kind: Kind) -> &mut Listing {
        self.sides[side.index()].lists.entry(kind).or_default()
    }

    pub fn object(&mut self, side: Side, name: &str, n: u32) -> &mut Object {
        let objects = &mut self.listing(side, kind(name)).objects;
        objects.iter_mut().find(|object| object.id == id(side, n)).unwrap()
    }

    pub fn within(&mut self, side: Side, name: &str, n: u32, parent: u32) {
        self.object(side, name, n).parent = Some(id(side, parent));
    }

    pub fn remove(&mut self, side: Side, name: &str, n: u32) {
        self.listing(side, kind(name)).objects.retain(|object| object.id != id(side, n));
    }

    /// Changes fields of an object.
    pub fn edit(&mut self, side: Side, name: &str, n: u32, fields: &Value) {
        let kind = kind(name);
        let object = self.object(side, name, n);
        let mut all = object.body.fields();
        for (name, value) in fields.as_object().unwrap() {
            all.insert(name.clone(), value.clone());
        }
        if let Some(label) = all.get("name").and_then(Value::as_str) {
            object.name = label.into();
        }
        object.body = body(kind, &Value::Object(all));
    }

    pub fn pair(&mut self, name: &str, n: u32) -> Pair {
        let pair = Pair { kind: kind(name), a: id(A, n), b: id(B, n) };
        self.list(name);
        self.pairs.insert(pair, Confidence::Strong);
        pair
    }

    /// An object that both sides have and agree about. References are those of A.
    pub fn both(&mut self, name: &str, n: u32, fields: &Value) -> Pair {
        self.put(A, name, n, fields);
        self.put(B, name, n, &on_b(fields));
        let pair = self.pair(name, n);
        self.bases.0.insert(pair, body(kind(name), fields));
        pair
    }

    /// An object that both sides have, of which nothing was ever agreed.
    pub fn never_agreed(&mut self, name: &str, n: u32, a: &Value, b: &Value) -> Pair {
        self.put(A, name, n, a);
        self.put(B, name, n, b);
        self.pair(name, n)
    }

    /// Missing for so long, in so many readings.
    pub fn missing(&mut self, side: Side, name: &str, n: u32, seconds: u64, readings: u32) {
        self.remove(side, name, n);
        let missing = Missing { since_unix: self.now_unix - seconds, readings };
        self.missing.insert((side, kind(name), id(side, n)), missing);
    }

    pub fn distrust(&mut self, side: Side, name: &str, why: Distrust) {
        let listing = self.listing(side, kind(name));
        listing.distrust.push(why);
    }

    /// The policy of a type: create, update, delete.
    pub fn policy(&mut self, name: &str, [create, update, delete]: [Policy; 3]) -> &mut TypePolicy {
        let kind = kind(name);
        self.rules
            .policies
            .entry(kind)
            .insert_entry(TypePolicy { create, update, delete, both: false, fields: Vec::new() })
            .into_mut()
    }

    /// Changes of this type go both ways.
    pub fn both_ways(&mut self, name: &str) {
        self.policy(name, [Policy::Auto; 3]).both = true;
    }

    pub fn plan(&self) -> Plan {
        plan(&Input {
            sides: [&self.sides[0], &self.sides[1]],
            source: self.source,
            pairs: &self.pairs,
            replaced: &self.replaced,
            disputed: &self.disputed,
            bases: &self.bases,
            missing: &self.missing,
            rules: &self.rules,
            now_unix: self.now_unix,
        })
    }
}

/// The ids of A in a value as B has them.
pub fn on_b(value: &Value) -> Value {
    serde_json::from_str(&value.to_string().replace("5555-66660", "5555-6666b"))
        .unwrap_or_else(|_| value.clone())
}

/// A reference of A.
pub fn to(side: Side, n: u32) -> Value {
    json!(id(side, n).to_string())
}

/// Fields with this name only.
pub fn named(name: &str) -> Value {
    let mut fields = Map::new();
    fields.insert("name".into(), json!(name));
    Value::Object(fields)
}
