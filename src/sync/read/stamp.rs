//! Dates as the VMS writes them (sheet 3.1): usually UTC with seven fractional digits, sometimes with
//! the offset of a local time, and the year 1 for what was never set. Pure.

use std::fmt;

/// A moment, in steps of 100 ns of UNIX time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(i64);

impl Stamp {
    /// Reads `2025-01-31T08:15:30`, with or without fraction and with `Z`, an offset or nothing (UTC) behind it.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_at_checked(10)?;
        let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?);
        let time = time.strip_prefix(['T', ' '])?;
        let (hour, minute, second) = (number(time, 0, 2)?, number(time, 3, 2)?, number(time, 6, 2)?);
        let at = |text: &str, at: usize, sign: u8| text.as_bytes().get(at) == Some(&sign);
        let separated = at(date, 4, b'-') && at(date, 7, b'-') && at(time, 2, b':') && at(time, 5, b':');
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60;
        if !(separated && valid && second < 61 && year >= 1) {
            return None;
        }
        let rest = time.get(8..)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
            None => ("0", rest),
        };
        if fraction.is_empty() {
            return None;
        }
        let digits: String = fraction.chars().chain("0000000".chars()).take(7).collect();
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
        Some(Self(seconds * SECOND + digits.parse::<i64>().ok()?))
    }

    /// Reads the date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn parse_http(text: &str) -> Option<Self> {
        let text = text.trim().split_once(", ")?.1.strip_suffix(" GMT")?;
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = months.iter().position(|month| text.get(3..6) == Some(month))? + 1;
        let (year, day, time) = (text.get(7..11)?, text.get(0..2)?, text.get(12..)?);
        Self::parse(&format!("{year}-{month:02}-{day}T{time}"))
    }

    /// Seconds of UNIX time.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Milliseconds of UNIX time.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(SECOND / 1000))
    }

    /// Milliseconds of UNIX time.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(SECOND / 1000)
    }

    /// Whether it means that there is no date: the year 1.
    pub const fn is_unset(self) -> bool {
        self.0 < days(2, 1, 1) * 86_400 * SECOND
    }
}

/// In UTC, with seven fractional digits.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(SECOND);
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let rest = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let fraction = self.0.rem_euclid(SECOND);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
    }
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') if zone.len() == 1 => return Some(0),
        Some(b'+') => (1, zone.get(1..)?),
        Some(b'-') => (-1, zone.get(1..)?),
        Some(_) => return None,
    };
    let minutes =
        if rest.as_bytes().get(2) == Some(&b':') { number(rest, 3, 2)? } else { number(rest, 2, 2)? };
    Some(sign * (number(rest, 0, 2)? * 3600 + minutes * 60))
}

fn number(text: &str, from: usize, digits: usize) -> Option<i64> {
    let part = text.get(from..from + digits)?;
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar; years begin in March, so that the leap
/// day is the last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days`].
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + (month <= 2) as i64, month, day)
}

const SECOND: i64 = 10_000_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_that_were_seen() {
        let stamp = Stamp::parse("2025-01-31T08:15:30.1230000Z").unwrap();
        assert_eq!(stamp.millis(), 1_738_311_330_123);
        for same in [
            "2025-01-31T08:15:30.123Z",
            "2025-01-31T08:15:30.123",
            "2025-01-31T03:15:30.1230000-05:00",
            "2025-01-31T09:45:30.123+01:30",
            "2025-01-31T09:15:30.123+0100",
        ] {
            assert_eq!(Stamp::parse(same), Some(stamp), "{same}");
        }
        assert!(Stamp::parse("0001-01-01T00:00:00.0000000").unwrap().is_unset() && !stamp.is_unset());
        assert_eq!(Stamp::parse("1970-01-01T00:00:00Z"), Some(Stamp::from_unix(0)));
        for none in [
            "",
            "yesterday",
            "2025-01-31",
            "2025-13-31T08:15:30Z",
            "2025-01-31T08:15:30.Z",
            "2025-01-31T08:15:30X",
        ] {
            assert_eq!(Stamp::parse(none), None, "{none}");
        }
    }

    #[test]
    fn the_date_of_an_answer() {
        let date = Stamp::parse_http("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date, Some(Stamp::from_unix(784_111_777)));
        for none in
            ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, ä", "06 Nov 1994"]
        {
            assert_eq!(Stamp::parse_http(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ticks in -621_355_968_000_000_000_i64..2_534_023_007_990_000_000) {
            prop_assert_eq!(Stamp::parse(&Stamp(ticks).to_string()), Some(Stamp(ticks)));
        }

        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,40}") {
            let _ = Stamp::parse(&text);
            let _ = Stamp::parse_http(&text);
        }
    }
}
