//! What one instance has, as sync has read it: canonical objects, and for every type whether the
//! reading may be believed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::catalogue::Kind;
use crate::idmap::guid::Guid;

/// One instance at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its name.
    pub instance: String,
    /// When the reading began, in seconds of UNIX time by our clock.
    pub taken_unix: u64,
    /// Its version as it says itself, such as `25.2`; empty: it does not say.
    pub version: String,
    /// Why nothing of it is believed, whatever the single types say: a canary is missing, its clock is
    /// behind, it is older than what was seen before.
    pub distrust: Vec<Distrust>,
    /// Every type that was asked for.
    pub lists: BTreeMap<Kind, Listing>,
}

/// One type on one instance.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// What was read, sorted by id. Only to be looked at if `distrust` is empty.
    pub objects: Vec<Object>,
    /// Why it may not be believed. Empty: complete.
    pub distrust: Vec<Distrust>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// On its instance.
    pub id: Guid,
    /// For people, and part of many keys; empty: it has none.
    pub name: Box<str>,
    /// Its other id, if its type has one ([`alias`](super::catalogue::Type::alias)).
    pub alias: Option<Guid>,
    /// The object of the type [`within`](super::catalogue::Type::within); `None`: at the root, or its
    /// parent is of another type.
    pub parent: Option<Guid>,
    /// The values of the fields of its first key that is not made of names, as read, joined by U+001F.
    pub key: Box<str>,
    /// `lastModified`, in milliseconds of UNIX time; `None`: it has none, or it was never set.
    pub modified_ms: Option<i64>,
    /// Comes with every installation, or belongs to the server: read-only.
    pub builtin: bool,
    /// Its compared fields, with the ids of its own instance.
    pub body: Body,
}

/// The compared fields of an object in canonical form: a JSON object with sorted members, without
/// blanks; references are lower-case GUIDs (of type `any`: `type/guid`), sets are sorted; an optional field
/// that is missing is null. Two objects are alike exactly if the bytes are, after translation of the ids.
/// Cheap to clone. A field that a person has accepted as missing or different on an instance is in no body
/// of its type there.
#[derive(Clone)]
pub struct Body {
    bytes: Arc<[u8]>,
    digest: Digest,
}

/// SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Body {
    /// `canonical` must be in canonical form.
    pub fn new(canonical: Vec<u8>) -> Self {
        Self { digest: Digest::of(&canonical), bytes: canonical.into() }
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Of the bytes: computed once, when they are read.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The fields by name. Empty if the bytes are not canonical, which [`Body::new`] forbids.
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

impl Default for Body {
    /// Without any field.
    fn default() -> Self {
        Self::new(b"{}".to_vec())
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl Digest {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut own = [0; 32];
        // SHA-256 has 32 bytes.
        own.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(own)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a reading, or all of an instance, is not believed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distrust {
    /// 404: this version does not have the type. The only one that is no fault.
    Absent,
    /// Any other status: 401, 403, 5xx.
    Status(u16),
    /// Nothing came in time, or the connection broke.
    NoAnswer(String),
    /// HTML, or JSON that ends too early, or that is no list.
    Garbled,
    /// The list is not whole, or was not the same when read again.
    Pages(&'static str),
    /// Objects do not look as the catalogue says: each difference once, in words.
    Schema(Vec<String>),
    /// Nothing, where there were so many before.
    Empty(usize),
    /// The list that says whose members they are could not be read.
    Parent(&'static str),
    /// Its members could not be read: which, why.
    Members(&'static str, String),
    /// The canary object is missing or was changed.
    Canary(String),
    /// Its clock is so many seconds off.
    Clock(i64),
    /// The newest change that it knows is older than one that was seen before, by so many seconds.
    Older(u64),
    /// The account was refused in the middle.
    Denied,
}

impl Snapshot {
    /// The objects of a type, if they may be believed.
    pub fn trusted(&self, kind: Kind) -> Option<&[Object]> {
        let listing = self.lists.get(&kind).filter(|l| self.distrust.is_empty() && l.distrust.is_empty())?;
        Some(&listing.objects)
    }

    /// Why there is nothing to believe about a type. Empty: there is.
    pub fn doubts(&self, kind: Kind) -> Vec<&Distrust> {
        let own = self.lists.get(&kind).map(|l| l.distrust.as_slice()).unwrap_or_default();
        self.distrust.iter().chain(own).collect()
    }
}

impl Listing {
    /// The object with this id.
    pub fn get(&self, id: Guid) -> Option<&Object> {
        let at = self.objects.binary_search_by_key(&id, |o| o.id).ok()?;
        self.objects.get(at)
    }
}

impl Distrust {
    /// A word for metrics and machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Status(401 | 403) | Self::Denied => "denied",
            Self::Status(_) => "status",
            Self::NoAnswer(_) => "no-answer",
            Self::Garbled => "garbled",
            Self::Pages(_) => "pages",
            Self::Schema(_) => "schema",
            Self::Empty(_) => "empty",
            Self::Parent(_) => "parent",
            Self::Members(..) => "members",
            Self::Canary(_) => "canary",
            Self::Clock(_) => "clock",
            Self::Older(_) => "older",
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("this version does not have it"),
            Self::Status(403) => f.write_str("the account may not read it"),
            Self::Status(status) => write!(f, "answered with status {status}"),
            Self::NoAnswer(why) => write!(f, "no answer: {why}"),
            Self::Garbled => f.write_str("the answer is no list"),
            Self::Pages(why) => write!(f, "the list is not whole: {why}"),
            Self::Schema(differences) => write!(f, "objects look different: {}", differences.join("; ")),
            Self::Empty(before) => write!(f, "the list is empty, before it had {before}"),
            Self::Parent(kind) => write!(f, "{kind} could not be read"),
            Self::Members(list, why) => write!(f, "its {list} could not be read: {why}"),
            Self::Canary(why) => write!(f, "canary: {why}"),
            Self::Clock(seconds) => write!(f, "its clock is {seconds} s off ours"),
            Self::Older(seconds) => {
                write!(f, "it is older than what was seen before, by {seconds} s: restored from a backup?")
            }
            Self::Denied => f.write_str("the account was refused in the middle of the reading"),
        }
    }
}
