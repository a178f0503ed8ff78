//! Points in time as the VMS writes them: UTC with seven fractional digits (sheet 3.1).

use std::time::{SystemTime, UNIX_EPOCH};

/// 100-nanosecond steps since the UNIX epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(i64);

/// Steps in a second.
pub const SECOND: i64 = 10_000_000;
/// Ticks in a millisecond.
pub const MILLI: i64 = SECOND / 1000;

/// How an unset time looks; without a zone, as seen on live systems (sheet 3.1).
pub const UNSET: &str = "0001-01-01T00:00:00.0000000";

impl Stamp {
    /// The machine's time.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX))
    }

    /// A point given in UNIX seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// A point given in 100-nanosecond steps since the UNIX epoch.
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// 100-nanosecond steps since the UNIX epoch.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Whole UNIX seconds.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Milliseconds from `earlier` to this point, 0 if it is not earlier.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let steps = self.0.saturating_sub(earlier.0);
        if steps < 0 { 0 } else { steps / MILLI }
    }

    /// This point moved by milliseconds.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(MILLI)))
    }

    /// The wire form in a zone that is this many hours ahead of UTC; some resources write it so (sheet 8.9).
    pub fn local(self, hours: i64) -> String {
        let there = self.plus_millis(hours.saturating_mul(3_600_000)).wire();
        let sign = if hours < 0 { '-' } else { '+' };
        format!("{}{sign}{:02}:00", there.trim_end_matches('Z'), hours.unsigned_abs())
    }

    /// The wire form, e.g. `2025-01-31T08:15:30.1230000Z`.
    pub fn wire(self) -> String {
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let fraction = self.0.rem_euclid(SECOND);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
    }

    /// The form of an HTTP header, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn http(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
        };
        let (weekday, month) = (name(&DAYS, days.rem_euclid(7)), name(&MONTHS, month - 1));
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// Reads the date and time of a wire form, with or without fraction and zone (a zone is taken as UTC).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if separators.iter().any(|(at, byte)| bytes.get(*at) != Some(byte)) {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i64> {
            let part = text.get(from..to)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let valid =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        if !valid || year < 1 {
            return None;
        }
        let digits: String = text
            .get(19..)?
            .strip_prefix('.')
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).take(7).collect())
            .unwrap_or_default();
        let fraction: i64 = format!("{digits:0<7}").parse().ok()?;
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Self(seconds.checked_mul(SECOND)?.checked_add(fraction)?))
    }
}

/// Date of a day number since 1970-01-01 (proleptic Gregorian, eras of 400 years starting on 1 March).
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

/// Day number of a date; the inverse of [`civil`].
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wire_form_has_seven_digits() {
        assert_eq!(Stamp::from_seconds(0).wire(), "1970-01-01T00:00:00.0000000Z");
        let text = "2025-01-31T08:15:30.1230000Z";
        assert_eq!(Stamp::parse(text).unwrap().wire(), text);
        assert_eq!(
            Stamp::parse("2024-02-29T23:59:59Z").unwrap().plus_millis(1000).wire(),
            "2024-03-01T00:00:00.0000000Z"
        );
    }

    #[test]
    fn http_form_has_names() {
        assert_eq!(Stamp::from_seconds(784_111_777).http(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn local_form_has_an_offset() {
        assert_eq!(Stamp::from_seconds(0).local(1), "1970-01-01T01:00:00.0000000+01:00");
        assert_eq!(Stamp::from_seconds(0).local(-5), "1969-12-31T19:00:00.0000000-05:00");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "2025",
            "2025-13-01T00:00:00",
            "2025-01-01 00:00:00",
            "2025-01-01T25:00:00",
            "ä025-01-01T00:00:00",
        ] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
    }
}
