//! `GetSequences`: what was recorded around a time (sheet 3.6, task bodies).

use serde_json::{Value, json};

use super::{manual, reply};

use crate::{
    rest::tasks::{Effected, Invocation},
    stamp::Stamp,
    world::World,
};

/// A simulated device records two minutes of every ten.
const EVERY: i64 = 600;
const LENGTH: i64 = 120;
/// More than this many items are never given.
const MOST: i64 = 1000;

/// `GetSequences{sequenceType,time,timeBefore,timeAfter,maxCountBefore,maxCountAfter}`.
pub fn get(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let bad = |name: &str| format!("Bad request: invalid value for {name}");
    let time = Stamp::parse(task.text("time")).ok_or_else(|| bad("time"))?.seconds();
    let before = span(task.text("timeBefore")).ok_or_else(|| bad("timeBefore"))?;
    let after = span(task.text("timeAfter")).ok_or_else(|| bad("timeAfter"))?;
    let count = |name: &str| task.parameters.get(name).and_then(Value::as_i64).unwrap_or(0).clamp(0, MOST);
    let (most_before, most_after) = (count("maxCountBefore"), count("maxCountAfter"));
    // Sequences lie on a grid; what covers the time counts as after it.
    let border = time.div_euclid(EVERY) * EVERY;
    let on_grid = (-most_before..most_after).map(|n| (border + n * EVERY, border + n * EVERY + LENGTH));
    let mut all: Vec<(i64, i64)> = on_grid.collect();
    if task.text("sequenceType") == "RecordingSequence" {
        all.extend(manual::spans(world, task));
    }
    all.sort_unstable();
    // Nothing is recorded in the future.
    let end = (time + after).min(task.now.seconds());
    let (early, late): (Vec<_>, Vec<_>) = all.into_iter().partition(|(begin, _)| *begin < border);
    let mut early: Vec<_> = early.into_iter().filter(|(_, end)| *end >= time - before).collect();
    early.drain(..early.len().saturating_sub(usize::try_from(most_before).unwrap_or(0)));
    let late = late.into_iter().filter(|(begin, _)| *begin <= end);
    let late = late.take(usize::try_from(most_after).unwrap_or(0));
    let wire = |seconds: i64| Stamp::from_seconds(seconds).wire();
    let items = early.into_iter().chain(late).map(|(begin, end)| {
        json!({ "timeBegin": wire(begin), "timeTrigger": wire((begin + 5).min(end)), "timeEnd": wire(end) })
    });
    Ok(reply("items", items.collect::<Value>()))
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
