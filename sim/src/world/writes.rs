//! The log of accepted changes (control API, `GET /writes`). The oldest go when it has grown large: anybody who may post
//! an alarm can fill it.

use std::collections::VecDeque;

use crate::api::Write;

/// Size of all entries as text.
const KEPT_BYTES: usize = 64 << 20;

/// What an entry takes besides its texts.
const ENTRY: usize = 200;

/// The log.
#[derive(Default)]
pub struct Writes {
    ring: VecDeque<Write>,
    bytes: usize,
}

impl Writes {
    /// Appends a change.
    pub fn push(&mut self, write: Write) {
        self.bytes += size(&write);
        self.ring.push_back(write);
        while self.bytes > KEPT_BYTES {
            let Some(gone) = self.ring.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(size(&gone));
        }
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Write> {
        self.ring.iter()
    }
}

fn size(write: &Write) -> usize {
    ENTRY + write.path.len() + write.who.len() + write.body.to_string().len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let mut writes = Writes::default();
        let large = "x".repeat(KEPT_BYTES / 8);
        for number in 0..20 {
            let (time, method, path, who) = (String::new(), String::new(), number.to_string(), String::new());
            writes.push(Write { time, method, path, body: large.as_str().into(), who });
        }
        assert_eq!(writes.iter().count(), 7);
        assert_eq!(writes.iter().last().unwrap().path, "19");
        assert!(writes.bytes <= KEPT_BYTES);
    }
}
