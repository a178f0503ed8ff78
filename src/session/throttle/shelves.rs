//! A table that never grows, and that nobody can empty by filling it.
//!
//! Like the cache of a processor: a key belongs to one shelf, and when that is full the entry that
//! is worth least makes room. Keys are hashes under a secret key, so nobody can aim at a shelf; and
//! to push out what weighs much, whoever floods the table has to bring weight to every shelf of it,
//! which takes as many failed logins.

use super::Weigh;
use crate::clock::Moment;

/// Entries by hash.
pub(super) struct Shelves<T>(Vec<Vec<(u128, T)>>);

impl<T: Weigh> Shelves<T> {
    /// So many empty shelves; at least one.
    pub fn new(shelves: usize) -> Self {
        Self(vec![Vec::new(); shelves.max(1)])
    }

    /// The entry, or an empty one.
    pub fn get(&self, key: u128) -> T {
        let found = self.0.get(self.at(key)).and_then(|shelf| shelf.iter().find(|(k, _)| *k == key));
        found.map(|(_, entry)| *entry).unwrap_or_default()
    }

    /// Changes an entry, which is empty at first.
    pub fn change(&mut self, key: u128, now: Moment, change: impl FnOnce(&mut T)) {
        let at = self.at(key);
        let Some(shelf) = self.0.get_mut(at) else { return };
        if let Some((_, entry)) = shelf.iter_mut().find(|(k, _)| *k == key) {
            return change(entry);
        }
        let mut entry = T::default();
        change(&mut entry);
        if shelf.len() < LENGTH {
            shelf.push((key, entry));
        } else if let Some(lightest) = shelf.iter_mut().min_by_key(|(_, entry)| entry.weight(now)) {
            *lightest = (key, entry);
        }
    }

    fn at(&self, key: u128) -> usize {
        // The lower half is as random as the whole.
        (key as usize) % self.0.len()
    }
}

const LENGTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Default)]
    struct Stone(u32);

    impl Weigh for Stone {
        fn weight(&self, _: Moment) -> u32 {
            self.0
        }
    }

    #[test]
    fn a_flood_of_light_ones_moves_no_heavy_one() {
        let mut shelves = Shelves::<Stone>::new(4);
        let now = Moment::default();
        let set =
            |shelves: &mut Shelves<Stone>, key: u128, weight| shelves.change(key, now, |s| s.0 = weight);
        (0..8).for_each(|key| set(&mut shelves, key, 5));
        (8..10_000).for_each(|key| set(&mut shelves, key, 1));
        assert!((0..8).all(|key| shelves.get(key).0 == 5));
        assert!(shelves.0.iter().all(|shelf| shelf.len() <= LENGTH));
        assert_eq!(shelves.get(9_999).0, 1, "the newest has found a place");
    }
}
