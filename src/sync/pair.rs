//! Two instances and what is the same on both: the words that identity, difference and plan share.

use std::collections::BTreeMap;
use std::fmt;

use super::catalogue::Kind;
use crate::idmap::guid::Guid;

/// Which of two instances; A is the one whose name comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// 0 or 1.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Two objects that are the same; by their ids on A and on B, which may be one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Of both.
    pub kind: Kind,
    /// On A.
    pub a: Guid,
    /// On B.
    pub b: Guid,
}

/// How sure it is that two objects are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// An operator said so.
    Operator,
    /// They have one id, which every installation has.
    SameId,
    /// Their strong key, unique on both sides.
    Strong,
    /// A weaker key, unique on both sides.
    Fallback,
    /// They look alike, and nothing else does nearly as much: a rename or a move.
    Similar,
}

/// What holds for two objects, and who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Linked by comparing; ends when what it follows from is gone.
    Matched,
    /// Linked by an operator, who alone ends it.
    Linked,
    /// An operator has said that they are not the same.
    Apart,
}

/// Everything that is the same on two instances.
pub type Pairs = BTreeMap<Pair, Confidence>;

impl Pair {
    /// The id on a side.
    pub const fn id(&self, side: Side) -> Guid {
        match side {
            Side::A => self.a,
            Side::B => self.b,
        }
    }
}

impl Confidence {
    /// All of them, the surest first.
    pub const ALL: [Self; 5] = [Self::Operator, Self::SameId, Self::Strong, Self::Fallback, Self::Similar];

    /// The one that is stored under this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.as_str() == name)
    }

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::SameId => "same-id",
            Self::Strong => "strong",
            Self::Fallback => "fallback",
            Self::Similar => "similar",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
