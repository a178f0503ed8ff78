//! Rights that tasks gave to roles or took from them (sheet 3.6, Security).

use std::collections::HashMap;

use crate::identity::Role;

/// What every role may do, as far as it is not what it was made with.
pub struct Grants {
    /// The position is the bit in a [`RoleSet`].
    roles: Vec<Granted>,
}

/// Roles of somebody of which at least one has changed rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleSet(u64);

/// One role.
pub struct Granted {
    id: String,
    /// What it was made with; roles that clients make have no rights.
    pub base: Role,
    /// Actions on single objects, which replace those it was made with.
    objects: HashMap<String, u32>,
    /// Actions on all objects of a type.
    overall: HashMap<String, Overall>,
}

/// Actions on all objects of a type: what is in neither is decided for each object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overall {
    /// Allowed.
    pub allow: u32,
    /// Denied, whatever else allows it.
    pub deny: u32,
}

impl Grants {
    /// Nothing changed yet; the roles that have rights.
    pub fn new(roles: Vec<(String, Role)>) -> Self {
        Self { roles: roles.into_iter().map(|(id, base)| Granted::new(id, base)).collect() }
    }

    /// What somebody may do who belongs to these roles.
    pub fn role(&self, belongs: impl Fn(&str) -> bool) -> Role {
        let mine = || self.roles.iter().enumerate().filter(|(_, role)| belongs(&role.id));
        let strongest =
            mine().map(|(_, role)| role.base).min_by_key(|base| rank(*base)).unwrap_or(Role::Nobody);
        if strongest == Role::Administrators || !mine().any(|(_, role)| role.is_changed()) {
            return strongest;
        }
        Role::Granted(RoleSet(mine().fold(0, |set, (position, _)| set | 1 << position)))
    }

    /// The roles of a set.
    pub fn of(&self, set: RoleSet) -> impl Iterator<Item = &Granted> {
        self.roles.iter().enumerate().filter(move |(position, _)| set.0 >> position & 1 == 1).map(|(_, r)| r)
    }

    /// A role, if it has or had rights.
    pub fn get(&self, role: &str) -> Option<&Granted> {
        self.roles.iter().find(|granted| granted.id == role)
    }

    /// A role, to change its rights; `None` if too many roles have some.
    pub fn change(&mut self, role: &str) -> Option<&mut Granted> {
        let position = self.roles.iter().position(|granted| granted.id == role);
        if position.is_none() && self.roles.len() < MOST {
            self.roles.push(Granted::new(role.to_owned(), Role::Nobody));
        }
        let last = self.roles.len() - 1;
        self.roles.get_mut(position.unwrap_or(last)).filter(|granted| granted.id == role)
    }

    /// Gives a copy the rights of another role.
    pub fn copy(&mut self, from: &str, to: &str) {
        let Some(from) = self.get(from) else { return };
        // A copy of the administrators is an ordinary role.
        let base = if from.base == Role::Administrators { Role::Nobody } else { from.base };
        let (objects, overall) = (from.objects.clone(), from.overall.clone());
        if let Some(granted) = self.change(to) {
            *granted = Granted { id: to.to_owned(), base, objects, overall };
        }
    }
}

/// The lower, the more it may do.
fn rank(base: Role) -> u8 {
    match base {
        Role::Administrators => 0,
        Role::Operators | Role::Service => 1,
        Role::Guards => 2,
        Role::Granted(_) | Role::Nobody => 3,
    }
}

/// A set has this many bits.
const MOST: usize = u64::BITS as usize;

impl Granted {
    fn new(id: String, base: Role) -> Self {
        Self { id, base, objects: HashMap::new(), overall: HashMap::new() }
    }

    fn is_changed(&self) -> bool {
        !self.objects.is_empty() || !self.overall.is_empty()
    }

    /// What it was given on an object.
    pub fn on_object(&self, id: &str) -> Option<u32> {
        self.objects.get(id).copied()
    }

    /// What it was given on all objects of a type.
    pub fn on_all(&self, kind: &str) -> Overall {
        self.overall.get(kind).copied().unwrap_or_default()
    }

    /// Sets what it may do with an object.
    pub fn set_object(&mut self, id: &str, mask: u32) {
        self.objects.insert(id.to_owned(), mask);
    }

    /// Sets what it may do with all objects of a type.
    pub fn set_all(&mut self, kind: &str, overall: Overall) {
        self.overall.insert(kind.to_owned(), overall);
    }
}
