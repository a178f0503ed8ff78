//! What was recorded, and when: `GetSequences` (sheet 3.6, task bodies), and the recording server itself.

use serde_json::{Value, json};

use super::{GONE, manual, reply};

use crate::{
    rest::tasks::{Effected, Invocation},
    stamp::Stamp,
    world::{Object, World},
};

/// A simulated device records two minutes of every ten.
const EVERY: i64 = 600;
const LENGTH: i64 = 120;
/// More than this many items are never given on either side.
pub const MOST: usize = 1000;

/// The type of everything that was recorded.
pub const RECORDING: &str = "RecordingSequence";
/// Ids and names of the types (sheet 6.3).
pub const TYPES: [(&str, &str); 3] = [
    ("f9c62604-d0c5-4050-ae25-72de51639b14", RECORDING),
    ("0601d294-b7e5-4d93-9614-9658561ad5e4", "RecordingWithTriggerSequence"),
    ("53cb5e33-2183-44bd-9491-8364d2457480", "MotionSequence"),
];

/// Something that was recorded without a gap, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence {
    /// Its first second.
    pub begin: i64,
    /// Its last second.
    pub end: i64,
}

impl Sequence {
    /// The second of what made it begin: there is a bit of video from before.
    pub fn trigger(self) -> i64 {
        (self.begin + 5).min(self.end)
    }
}

/// Which sequences are wanted: around a time in seconds, so far before and after it, so many on either side.
pub struct Around {
    /// The time.
    pub time: i64,
    /// Seconds before it.
    pub before: i64,
    /// Seconds after it.
    pub after: i64,
    /// Most that ended before it.
    pub most_before: usize,
    /// Most that did not.
    pub most_after: usize,
}

/// The sequences of a device, in order. Nothing is recorded in the future.
pub fn around(device: &Object, kind: &str, wanted: &Around, now: Stamp) -> Vec<Sequence> {
    let Around { time, before, after, .. } = *wanted;
    let (most_before, most_after) = (wanted.most_before.min(MOST), wanted.most_after.min(MOST));
    let steps = |count: usize| i64::try_from(count).unwrap_or_default();
    let border = time.div_euclid(EVERY);
    let on_grid = (border - steps(most_before)..=border + steps(most_after)).map(|n| n * EVERY);
    let mut all: Vec<_> = on_grid.map(|begin| Sequence { begin, end: begin + LENGTH }).collect();
    if kind == RECORDING {
        all.extend(manual::spans(device, now).into_iter().map(|(begin, end)| Sequence { begin, end }));
    }
    all.sort_unstable();
    let last = time.saturating_add(after).min(now.seconds());
    all.retain(|sequence| sequence.begin <= last && sequence.end >= time.saturating_sub(before));
    let (mut early, late): (Vec<_>, Vec<_>) = all.into_iter().partition(|sequence| sequence.end < time);
    early.drain(..early.len().saturating_sub(most_before));
    early.into_iter().chain(late.into_iter().take(most_after)).collect()
}

/// `GetSequences{sequenceType,time,timeBefore,timeAfter,maxCountBefore,maxCountAfter}`.
pub fn get(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let bad = |name: &str| format!("Bad request: invalid value for {name}");
    let device = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    let count = |name: &str| {
        let count = task.parameters.get(name).and_then(Value::as_i64).unwrap_or(0);
        usize::try_from(count).unwrap_or(0)
    };
    let wanted = Around {
        time: Stamp::parse(task.text("time")).ok_or_else(|| bad("time"))?.seconds(),
        before: span(task.text("timeBefore")).ok_or_else(|| bad("timeBefore"))?,
        after: span(task.text("timeAfter")).ok_or_else(|| bad("timeAfter"))?,
        most_before: count("maxCountBefore"),
        most_after: count("maxCountAfter"),
    };
    let wire = |seconds: i64| Stamp::from_seconds(seconds).wire();
    let found = around(device, task.text("sequenceType"), &wanted, task.now).into_iter().map(|found| {
        json!({
            "timeBegin": wire(found.begin), "timeTrigger": wire(found.trigger()), "timeEnd": wire(found.end),
        })
    });
    Ok(reply("items", found.collect::<Value>()))
}

/// Seconds of `d.HH:mm:ss` or `HH:mm:ss`.
pub fn span(text: &str) -> Option<i64> {
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let number = |part: &str, most: i64| -> Option<i64> {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|value| digits && *value <= most)
    };
    let mut parts = clock.split(':');
    let mut next = |most| parts.next().and_then(|part| number(part, most));
    let (hours, minutes, seconds) = (next(23)?, next(59)?, next(59)?);
    let days = number(days, 36_500)?;
    parts.next().is_none().then_some(days * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans() {
        assert_eq!(span("1.02:03:04"), Some(93_784));
        assert_eq!(span("00:10:00"), Some(600));
        for bad in ["", "1", "1.2", "00:60:00", "-1:00:00", "00:00:00:00", "x.00:00:00"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }
}
