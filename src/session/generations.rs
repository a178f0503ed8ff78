//! A table that is bounded without ever being scanned: two generations. When the young one is full
//! it becomes the old one, and what was old is forgotten.

use std::collections::HashMap;
use std::hash::Hash;

/// At most twice as many entries as one generation holds; the oldest are forgotten first.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    size: usize,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    /// Empty; `size` entries a generation.
    pub(super) fn new(size: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), size }
    }

    /// The newest entry of this key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Makes this the newest entry of its key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.size {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}
