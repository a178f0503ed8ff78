//! Rights that tasks gave to roles or took from them (sheet 3.6, Security).

use std::collections::HashMap;

use crate::{identity::Role, stamp::Stamp};

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
    /// What each change replaced.
    log: Vec<(Stamp, Before)>,
}

/// What a change of rights replaced.
#[derive(Clone)]
enum Before {
    Object(String, Option<u32>),
    Overall(String, Option<Overall>),
    Everything(Role, HashMap<String, u32>, HashMap<String, Overall>),
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
            granted.replace(base, objects, overall);
        }
    }

    /// Sets all rights back to what they were at a moment.
    pub fn restore(&mut self, moment: Stamp) {
        for role in &mut self.roles {
            let later = role.log.iter().rev().take_while(|(at, _)| *at > moment);
            for before in later.map(|(_, before)| before.clone()).collect::<Vec<_>>() {
                role.undo(before);
            }
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
        Self { id, base, objects: HashMap::new(), overall: HashMap::new(), log: Vec::new() }
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
        self.put_object(id.to_owned(), Some(mask));
    }

    /// Sets what it may do with all objects of a type.
    pub fn set_all(&mut self, kind: &str, overall: Overall) {
        self.put_overall(kind.to_owned(), Some(overall));
    }

    fn put_object(&mut self, id: String, mask: Option<u32>) {
        let before = match mask {
            Some(mask) => self.objects.insert(id.clone(), mask),
            None => self.objects.remove(&id),
        };
        self.log.push((Stamp::now(), Before::Object(id, before)));
    }

    fn put_overall(&mut self, kind: String, overall: Option<Overall>) {
        let before = match overall {
            Some(overall) => self.overall.insert(kind.clone(), overall),
            None => self.overall.remove(&kind),
        };
        self.log.push((Stamp::now(), Before::Overall(kind, before)));
    }

    fn replace(&mut self, base: Role, objects: HashMap<String, u32>, overall: HashMap<String, Overall>) {
        let before = (
            std::mem::replace(&mut self.base, base),
            std::mem::replace(&mut self.objects, objects),
            std::mem::replace(&mut self.overall, overall),
        );
        self.log.push((Stamp::now(), Before::Everything(before.0, before.1, before.2)));
    }

    fn undo(&mut self, before: Before) {
        match before {
            Before::Object(id, mask) => self.put_object(id, mask),
            Before::Overall(kind, overall) => self.put_overall(kind, overall),
            Before::Everything(base, objects, overall) => self.replace(base, objects, overall),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rights_come_back() {
        let mut grants = Grants::new(vec![("a".to_owned(), Role::Guards)]);
        let picture = |grants: &Grants| {
            ["a", "b"]
                .map(|role| grants.get(role).map(|role| (role.base, role.on_object("c"), role.on_all("d"))))
        };
        let next = || {
            let now = Stamp::now();
            while Stamp::now() <= now {}
            Stamp::now()
        };
        let changes: [fn(&mut Grants); 4] = [
            |grants| grants.change("a").unwrap().set_object("c", 1),
            |grants| grants.change("a").unwrap().set_object("c", 2),
            |grants| grants.change("a").unwrap().set_all("d", Overall { allow: 1, deny: 2 }),
            |grants| grants.copy("a", "b"),
        ];
        let mut moments = Vec::new();
        for change in changes {
            change(&mut grants);
            moments.push((next(), picture(&grants)));
            next();
        }
        for at in [1, 3, 0, 2, 3] {
            let (moment, wanted) = &moments[at];
            grants.restore(*moment);
            let now = picture(&grants);
            assert_eq!(now[0], wanted[0], "{at}");
            // A role that did not have rights yet may be known without any.
            assert_eq!(now[1].filter(|role| role.1.is_some()), wanted[1], "{at}");
        }
    }
}
