//! Random faults in random answers: a type is read as it was at one moment, or it is not believed.
//! `just storm SEED N` runs many more cases.

use std::collections::BTreeMap;
use std::sync::Mutex;

use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::*;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Type;
use crate::sync::catalogue::field::{Class, Shape};
use crate::sync::read::list::ROOT;
use crate::sync::snapshot::Object;

/// What happens to one answer.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Status(u16),
    Silent,
    TooLarge,
    Html,
    Truncated,
    Empty,
    Repeated,
    Doubled,
    Cut,
    Border,
    NoId,
    NilId,
    Missing,
    Null,
    Retyped,
    UnknownField,
    UnknownWord,
    NoObject,
    /// No fault: an event is deleted.
    Deleted,
    /// No fault: an event is made.
    Made,
}

/// An instance that is nothing but lists.
struct Fake {
    lists: Mutex<BTreeMap<String, Vec<Value>>>,
    /// What the list of events was like at any moment.
    states: Mutex<Vec<Vec<Value>>>,
    /// By the number of the request.
    faults: Vec<(usize, Fault, Index)>,
    /// Its own largest page.
    largest: usize,
    asked: Mutex<usize>,
}

const EVENTS: &str = "userDefinedEvents";

impl Fake {
    /// Lists of this length: recording servers, storages on each, events, groups, cameras in each.
    fn new(sizes: [usize; 5], largest: usize) -> Self {
        let [servers, storages, events, groups, cameras] = sizes;
        let row = |name: &str| kind(name).row();
        let list = |name: &str, from: usize, count: usize| -> Vec<Value> {
            (from..from + count).map(|n| valid(row(name), n)).collect()
        };
        let mut lists = BTreeMap::from([
            ("/sites".to_owned(), vec![json!({ "version": "25.2.1.1" })]),
            ("/recordingServers".to_owned(), list("recordingServers", 1, servers)),
            (format!("/{EVENTS}"), list(EVENTS, 1, events)),
            ("/cameraGroups".to_owned(), list("cameraGroups", 1, groups)),
        ]);
        for n in 1..=servers {
            lists
                .insert(format!("/recordingServers/{}/storages", id(n)), list("storages", n * 100, storages));
        }
        for n in 1..=groups {
            let members = (0..cameras).map(|camera| json!({ "id": id(camera + n), "name": "x" }));
            lists.insert(format!("/cameraGroups/{}/cameras", id(n)), members.collect());
        }
        let states = Mutex::new(vec![lists[&format!("/{EVENTS}")].clone()]);
        Self { lists: Mutex::new(lists), states, faults: Vec::new(), largest, asked: Mutex::default() }
    }

    fn edit(&self, fault: Fault, at: Index, number: usize) {
        let mut lists = self.lists.lock().unwrap();
        let events = lists.get_mut(&format!("/{EVENTS}")).unwrap();
        match fault {
            Fault::Deleted if !events.is_empty() => drop(events.remove(at.index(events.len()))),
            Fault::Made => {
                let place = at.index(events.len() + 1);
                events.insert(place, valid(kind(EVENTS).row(), 100_000 + number));
            }
            _ => return,
        }
        self.states.lock().unwrap().push(events.clone());
    }

    fn page(&self, path: &str) -> Option<Vec<Value>> {
        let (path, query) = path.strip_prefix(ROOT).unwrap().split_once('?').unwrap();
        let number = |name: &str| -> usize {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.unwrap().parse().unwrap()
        };
        let size = number("size").min(self.largest);
        let lists = self.lists.lock().unwrap();
        Some(lists.get(path)?.iter().skip(number("page") * size).take(size).cloned().collect())
    }
}

impl Ask for Fake {
    async fn get(&self, path: &str) -> Result<Answer, Unanswered> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        let of = path.strip_prefix(ROOT).unwrap().trim_start_matches('/');
        let row =
            of.split('?').next().and_then(|path| Kind::from_name(path.rsplit('/').next()?)).map(Kind::row);
        let (mut status, mut cut, mut html) = (200, false, false);
        let mut page = self.page(path);
        for (_, fault, at) in self.faults.iter().filter(|(when, ..)| *when == number) {
            self.edit(*fault, *at, number);
            match fault {
                Fault::Status(other) => status = *other,
                Fault::Silent => return Err(Unanswered::Silent("x".to_owned())),
                Fault::TooLarge => return Err(Unanswered::TooLarge),
                Fault::Html => html = true,
                Fault::Truncated => cut = true,
                fault => page.iter_mut().for_each(|page| distort(page, *fault, *at, row)),
            }
        }
        let body = match (page, status) {
            _ if html => "<html>".to_owned(),
            (Some(page), 200) => json!({ "array": page }).to_string(),
            (None, _) => {
                status = 404;
                json!({ "error": { "details": [{ "errorText": "Unknown resource: x" }] } }).to_string()
            }
            _ => json!({ "error": { "details": [{ "errorText": "Item not found. x" }] } }).to_string(),
        };
        let body = if cut { body[..body.len() / 2].to_owned() } else { body };
        let status = StatusCode::from_u16(status).unwrap();
        Ok(Answer { status, headers: HeaderMap::new(), body: body.into() })
    }
}

fn distort(page: &mut Vec<Value>, fault: Fault, at: Index, row: Option<&'static Type>) {
    if page.is_empty() {
        return;
    }
    let (place, count) = (at.index(page.len()), page.len());
    match fault {
        Fault::Empty => page.clear(),
        Fault::Repeated => page.extend(page.clone()),
        Fault::Doubled => page.push(page[place].clone()),
        Fault::Cut => page.truncate(place),
        Fault::Border => drop(page.pop()),
        _ => {}
    }
    let Some(object) = page.get_mut(place).filter(|_| count > 0).and_then(Value::as_object_mut) else {
        return;
    };
    let fields: Vec<String> = object.keys().filter(|name| *name != "relations").cloned().collect();
    if fields.is_empty() {
        return;
    }
    let field = &fields[at.index(fields.len())];
    match fault {
        Fault::NoId => drop(object.remove("id")),
        Fault::NilId => drop(object.insert("id".to_owned(), Guid::NIL.to_string().into())),
        Fault::Missing => drop(object.remove(field)),
        Fault::Null => drop(object.insert(field.clone(), Value::Null)),
        Fault::Retyped => {
            let other = match &object[field] {
                Value::String(_) => json!(0),
                Value::Array(_) => json!({}),
                Value::Object(_) => json!([]),
                other => other.to_string().into(),
            };
            object.insert(field.clone(), other);
        }
        Fault::UnknownField => drop(object.insert("colour".to_owned(), json!("red"))),
        Fault::UnknownWord => {
            let words =
                row.into_iter().flat_map(|row| &row.fields).find(|f| matches!(f.shape, Shape::Word(_)));
            if let Some(field) = words {
                object.insert(field.name.to_owned(), json!("Nonsense"));
            }
        }
        Fault::NoObject => page[place] = json!(7),
        _ => {}
    }
}

fn id(n: usize) -> String {
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    Guid::new(bytes).to_string()
}

/// An object as the catalogue knows it.
fn valid(row: &Type, n: usize) -> Value {
    let mut object = Map::new();
    let is_member = |name: &str| row.members.iter().any(|members| members.list == name);
    let fields = row.fields.iter().filter(|field| field.class != Class::Secret && !is_member(field.name));
    for field in fields {
        object.insert(
            field.name.to_owned(),
            if field.name == "id" { id(n).into() } else { value(&field.shape, n) },
        );
    }
    object.insert("relations".to_owned(), json!({ "parent": { "type": "sites", "id": id(0) } }));
    object.into()
}

fn value(shape: &Shape, n: usize) -> Value {
    match shape {
        Shape::Text => format!("text {n}").into(),
        Shape::Integer => n.into(),
        Shape::Number => (n as f64 / 2.0).into(),
        Shape::Flag => n.is_multiple_of(2).into(),
        Shape::Date => format!("2025-01-31T08:15:{:02}Z", n % 60).into(),
        Shape::Guid => id(n).into(),
        Shape::Word(words) => words[n % words.len()].into(),
        Shape::Reference(_, target) => json!({ "type": target, "id": id(n) }),
        Shape::Any => json!({ "a": n }),
        Shape::List(inner) | Shape::Set(inner) => json!([value(inner, n)]),
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    use Fault::*;
    let status = proptest::sample::select(vec![400, 401, 403, 404, 429, 500, 502, 503]).prop_map(Status);
    let other = vec![
        Silent,
        TooLarge,
        Html,
        Truncated,
        Empty,
        Repeated,
        Doubled,
        Cut,
        Border,
        NoId,
        NilId,
        Missing,
        Null,
        Retyped,
        UnknownField,
        UnknownWord,
        NoObject,
        Deleted,
        Made,
    ];
    prop_oneof![1 => status, 3 => proptest::sample::select(other)]
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0_usize..12, 1 => 195_usize..430]
}

fn objects(reading: &Reading, name: &str) -> Option<Vec<Object>> {
    reading.snapshot.trusted(kind(name)).map(<[Object]>::to_vec)
}

proptest! {
    #[test]
    fn what_is_believed_is_right(
        (servers, storages, groups) in (0_usize..4, 0_usize..6, 0_usize..5),
        (events, cameras) in (length(), length()),
        largest in prop_oneof![Just(1000_usize), 20_usize..100],
        faults in proptest::collection::vec((any::<Index>(), fault(), any::<Index>()), 1..5),
    ) {
        let kinds = ["recordingServers", "storages", EVENTS, "cameraGroups"];
        let want = Want { kinds: Some(kinds.map(kind).into()), ..Want::default() };
        let fake = || Fake::new([servers, storages, events, groups, cameras], largest);
        let healthy = fake();
        let before = read_with(&healthy, &Past::default(), &want).unwrap();
        prop_assert_eq!(doubts(&before.snapshot), Vec::<String>::new());
        let asked = *healthy.asked.lock().unwrap();

        let mut faulty = fake();
        // Two answers that lose the same objects and look well in themselves are believed: nothing could tell.
        let mut losses = 0;
        let one_loss = faults.iter().filter(|(_, fault, _)| {
            losses += usize::from(matches!(fault, Fault::Empty | Fault::Cut | Fault::Border));
            losses < 2 || !matches!(fault, Fault::Empty | Fault::Cut | Fault::Border)
        });
        faulty.faults = one_loss.map(|(when, fault, at)| (when.index(asked) + 1, *fault, *at)).collect();
        let Ok(now) = read_with(&faulty, &before.past, &want) else { return Ok(()) };
        let states = faulty.states.into_inner().unwrap();
        for name in kinds {
            let (read, healthy) = (objects(&now, name), objects(&before, name));
            if read.is_none() || read == healthy {
                continue;
            }
            // Only the list of events is edited: each state as an instance without faults would show it.
            prop_assert!(name == EVENTS, "{:?} instead of {:?}", read, healthy);
            let want = Want { kinds: Some([kind(EVENTS)].into()), ..Want::default() };
            let mut states = states.iter().map(|state| {
                let calm = fake();
                calm.lists.lock().unwrap().insert(format!("/{EVENTS}"), state.clone());
                objects(&read_with(&calm, &Past::default(), &want).unwrap(), EVENTS)
            });
            prop_assert!(states.any(|state| state == read), "{:?} was never so", read);
        }
    }
}
