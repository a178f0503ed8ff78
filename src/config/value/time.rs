//! Durations and times of day.

use std::time::Duration;

use super::{Wrong, quote, wrong};

/// A duration with the units that the manual names. humantime alone would also take `M` (month)
/// for `m` and so turn a slip into ten months.
pub(super) fn time(s: &str, min: Duration, max: Duration) -> Result<Duration, Wrong> {
    const REMEDY: &str = "write a number and a unit: ms, s, min or h, for example \"500ms\"";
    let unknown = |unit: &&str| !unit.is_empty() && !["ms", "s", "min", "h"].contains(unit);
    let units: Vec<&str> = s.split(|c: char| !c.is_alphabetic()).collect();
    if let Some(unit) = units.iter().copied().find(unknown) {
        return wrong(format!("{} is not a duration: unknown unit {}", quote(s), quote(unit)), REMEDY);
    }
    if units.iter().all(|u| u.is_empty()) {
        return wrong(format!("{} is not a duration: the unit is missing", quote(s)), REMEDY);
    }
    let Ok(duration) = humantime::parse_duration(s) else {
        return wrong(format!("{} is not a duration", quote(s)), REMEDY);
    };
    if duration < min || duration > max {
        return wrong(
            format!("{} is out of range", quote(s)),
            format!("write a duration from {} to {}", show(min), show(max)),
        );
    }
    Ok(duration)
}

/// A duration with the units that the manual names, as in the configuration.
pub fn show(d: Duration) -> String {
    if d.is_zero() {
        return "0s".to_owned();
    }
    let ms = d.as_millis();
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "min"), (ms / 1000 % 60, "s"), (ms % 1000, "ms")];
    let shown: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if shown.is_empty() { format!("{d:?}") } else { shown.join(" ") }
}

/// `HH:MM`.
pub(super) fn day_time(s: &str) -> Result<String, Wrong> {
    let valid = s.split_once(':').is_some_and(|(h, m)| {
        let part = |p: &str, below: u8| {
            p.len() == 2 && p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u8>().is_ok_and(|n| n < below)
        };
        part(h, 24) && part(m, 60)
    });
    if valid {
        Ok(s.to_owned())
    } else {
        wrong(format!("{} is not a time of day", quote(s)), "write HH:MM, for example \"08:00\"")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn parse(s: &str) -> Result<Duration, Wrong> {
        time(s, Duration::ZERO, Duration::from_secs(3600))
    }

    #[test]
    fn durations_need_a_unit_that_the_manual_names() {
        assert_eq!(parse("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse("1min 30s").unwrap(), Duration::from_secs(90));
        assert_eq!(parse("0s").unwrap(), Duration::ZERO);
        assert_eq!(parse("1.5s").unwrap(), Duration::from_millis(1500));
        for bad in
            ["", "5", "s", "10M", "5 m", "3 days", "-1s", "2h", "1us", "99999999999999999999h", "1s;", "1s1"]
        {
            assert!(parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn shown_durations_can_be_read_back() {
        for ms in [0, 1, 999, 1000, 30_000, 90_500, 3_599_999] {
            let d = Duration::from_millis(ms);
            assert_eq!(parse(&show(d)).unwrap(), d);
        }
    }

    #[test]
    fn times_of_day() {
        assert!(day_time("08:00").is_ok() && day_time("23:59").is_ok());
        for bad in ["", "8:00", "24:00", "08:60", "08-00", "+8:00", "08:00:00"] {
            assert!(day_time(bad).is_err(), "{bad:?} was taken");
        }
    }
}
