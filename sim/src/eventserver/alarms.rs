//! The last alarms of the instance, in the order in which they were raised.

use std::collections::{HashMap, VecDeque};

use super::alarm::Alarm;

/// The oldest go.
const KEPT: usize = 10_000;

/// Size of all of them as text, with their histories and pictures.
const KEPT_BYTES: usize = 64 << 20;

/// The list.
#[derive(Default)]
pub struct Alarms {
    ring: VecDeque<Alarm>,
    /// Numbers by id.
    numbers: HashMap<String, u64>,
    bytes: usize,
    last_number: u64,
    last_change: u64,
    /// Number of the last event that definitions have seen.
    pub looked_at: u64,
}

impl Alarms {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Number of the last change.
    pub fn last_change(&self) -> u64 {
        self.last_change
    }

    /// Newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Alarm> {
        self.ring.iter().rev()
    }

    /// Those that were raised or changed after change number `cursor`, in the order of their last change.
    pub fn changed_after(&self, cursor: u64) -> Vec<&Alarm> {
        let mut changed: Vec<&Alarm> = self.ring.iter().filter(|alarm| alarm.change > cursor).collect();
        changed.sort_by_key(|alarm| alarm.change);
        changed
    }

    /// The alarm of that id.
    pub fn get(&self, id: &str) -> Option<&Alarm> {
        self.ring.get(self.place(id)?)
    }

    /// Appends an alarm; gives it as it is kept.
    pub fn raise(&mut self, mut alarm: Alarm) -> Alarm {
        self.last_number += 1;
        self.last_change += 1;
        (alarm.number, alarm.change) = (self.last_number, self.last_change);
        self.numbers.insert(alarm.id.clone(), alarm.number);
        self.bytes += alarm.size();
        self.ring.push_back(alarm.clone());
        self.shrink();
        alarm
    }

    /// Changes an alarm; gives it as it is then.
    pub fn update(&mut self, id: &str, change: impl FnOnce(&mut Alarm)) -> Option<Alarm> {
        let place = self.place(id)?;
        let alarm = self.ring.get_mut(place)?;
        let before = alarm.size();
        change(alarm);
        self.last_change += 1;
        alarm.change = self.last_change;
        self.bytes = (self.bytes + alarm.size()).saturating_sub(before);
        let changed = alarm.clone();
        self.shrink();
        Some(changed)
    }

    fn place(&self, id: &str) -> Option<usize> {
        let first = self.ring.front()?.number;
        usize::try_from(self.numbers.get(&id.to_ascii_lowercase())?.checked_sub(first)?).ok()
    }

    fn shrink(&mut self) {
        while self.ring.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(gone) = self.ring.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(gone.size());
            self.numbers.remove(&gone.id);
        }
    }
}
