//! The protocol sheet's lists of resources and fields, read from `verbs.txt` and `fields.txt`.

use std::collections::BTreeMap;

/// One resource: which verbs it has where.
#[derive(Debug)]
pub struct Resource {
    pub name: &'static str,
    /// Verbs of the collection.
    pub collection: &'static str,
    /// `?disabled` shows more.
    pub disabled: bool,
    /// Verbs of an item.
    pub item: &'static str,
    pub tasks: Vec<&'static str>,
    pub collection_tasks: Vec<&'static str>,
    pub subs: Vec<Sub>,
}

/// A collection below an item.
#[derive(Debug)]
pub struct Sub {
    pub name: &'static str,
    pub collection: &'static str,
    pub item: &'static str,
    pub tasks: Vec<&'static str>,
}

/// One field of an object.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: &'static str,
    pub read_only: bool,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Guid,
    Text,
    Integer,
    Number,
    Boolean,
    Time,
    Reference(&'static str),
    Embedded(&'static str),
    OneOf(Vec<&'static str>),
    List(Box<Kind>),
}

pub struct Sheet {
    pub resources: Vec<Resource>,
    fields: BTreeMap<&'static str, Vec<Field>>,
}

impl Sheet {
    pub fn read() -> Self {
        let lines = |text: &'static str| text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines(include_str!("fields.txt")).map(|line| {
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            (name, rest.split_whitespace().map(Field::read).collect())
        });
        Self {
            resources: lines(include_str!("verbs.txt")).map(Resource::read).collect(),
            fields: fields.collect(),
        }
    }

    /// The fields of an object; `None` if its members are free, or the sheet does not list them.
    pub fn fields(&self, object: &str) -> Option<&[Field]> {
        self.fields.get(object).map(Vec::as_slice).filter(|fields| !fields.is_empty())
    }

    /// The names of all objects.
    pub fn objects(&self) -> impl Iterator<Item = &'static str> {
        self.fields.keys().copied()
    }

    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }
}

impl Resource {
    fn read(line: &'static str) -> Self {
        let mut words = line.split_whitespace();
        let (name, collection, item) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let (collection, disabled) =
            collection.strip_suffix('~').map_or((collection, false), |verbs| (verbs, true));
        let none = |verbs: &'static str| if verbs == "-" { "" } else { verbs };
        let mut resource = Self {
            name,
            collection: none(collection),
            disabled,
            item: none(item),
            tasks: Vec::new(),
            collection_tasks: Vec::new(),
            subs: Vec::new(),
        };
        for word in words {
            let (key, value) = word.split_once('=').unwrap();
            match key {
                "item-tasks" => resource.tasks = value.split(',').collect(),
                "collection-tasks" => resource.collection_tasks = value.split(',').collect(),
                _ => resource.subs.push(Sub::read(key, value)),
            }
        }
        resource
    }
}

impl Sub {
    fn read(name: &'static str, verbs: &'static str) -> Self {
        // `GP[A,B]/GPD[C]`: the tasks behind the item verbs belong to the resource itself.
        let (collection, item) = verbs.split_once('/').unwrap_or((verbs, ""));
        let (collection, tasks) = match collection.split_once('[') {
            Some((verbs, tasks)) => (verbs, tasks.trim_end_matches(']').split(',').collect()),
            None => (collection, Vec::new()),
        };
        Self { name, collection, item: item.split('[').next().unwrap(), tasks }
    }
}

impl Field {
    fn read(word: &'static str) -> Self {
        let (name, kind) = word.split_once(':').unwrap();
        Self { name: name.trim_end_matches('*'), read_only: name.ends_with('*'), kind: Kind::read(kind) }
    }
}

impl Kind {
    fn read(text: &'static str) -> Self {
        let inside = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inside('[', ']') {
            return Self::List(Box::new(Self::read(inner)));
        }
        if let Some(words) = inside('{', '}') {
            return Self::OneOf(words.split('|').collect());
        }
        if let Some(name) = inside('<', '>') {
            return Self::Embedded(name);
        }
        if let Some(target) = text.strip_prefix('>') {
            return Self::Reference(target);
        }
        match text {
            "g" => Self::Guid,
            "s" | "time" => Self::Text,
            "i" => Self::Integer,
            "n" => Self::Number,
            "b" => Self::Boolean,
            "dt" => Self::Time,
            other => panic!("no type of the sheet: {other}"),
        }
    }
}
