//! `GetSequences`: what was recorded around a time (sheet 3.6, task bodies).

use serde_json::{Map, Value, json};

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
pub fn get(_: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let bad = |name: &str| format!("Bad request: invalid value for {name}");
    let time = Stamp::parse(task.text("time")).ok_or_else(|| bad("time"))?.seconds();
    let before = span(task.text("timeBefore")).ok_or_else(|| bad("timeBefore"))?;
    let after = span(task.text("timeAfter")).ok_or_else(|| bad("timeAfter"))?;
    let count = |name: &str| task.parameters.get(name).and_then(Value::as_i64).unwrap_or(0).clamp(0, MOST);
    // Sequences lie on a grid; nothing is recorded in the future.
    let first = time.div_euclid(EVERY);
    let starts_before = (1..=count("maxCountBefore"))
        .map(|n| (first - n) * EVERY)
        .take_while(|s| *s + LENGTH >= time - before);
    let mut starts: Vec<i64> = starts_before.collect();
    starts.reverse();
    let end = (time + after).min(task.now.seconds());
    starts.extend((0..count("maxCountAfter")).map(|n| (first + n) * EVERY).take_while(|start| *start <= end));
    let wire = |seconds: i64| Stamp::from_seconds(seconds).wire();
    let items = starts.into_iter().map(|start| {
        json!({ "timeBegin": wire(start), "timeTrigger": wire(start + 5), "timeEnd": wire(start + LENGTH) })
    });
    Ok(Effected { result: Map::from_iter([("items".to_owned(), items.collect())]), ..Effected::default() })
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
