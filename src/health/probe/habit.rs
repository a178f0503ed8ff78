//! What the probe page of a web server usually is (profile `http`). We know nothing about the page,
//! but a healthy server does not answer its health check with JSON today and with its default page
//! tomorrow: media type, and whether there is a body at all, are learnt and then expected. Pure.

use std::fmt;

use http::header::CONTENT_TYPE;

use crate::health::cause::Cause;
use crate::vms::client::Answer;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `type/subtype` in lower case, filled up with zeros; a longer one is cut. In place and not on
    /// the heap, because every fact carries a cause and a cause may carry two of these.
    media: [u8; LONGEST],
    empty: bool,
}

impl Shape {
    /// The form of `answer`.
    pub fn of(answer: &Answer) -> Self {
        let mut media = [0; LONGEST];
        for (to, from) in media.iter_mut().zip(media_type(answer).bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Self { media, empty: answer.body.is_empty() }
    }

    /// Whether `self` may come where `expected` is expected.
    const fn fits(&self, expected: &Self) -> bool {
        let mut i = 0;
        while i < LONGEST {
            if self.media[i] != expected.media[i] {
                return false;
            }
            i += 1;
        }
        !self.empty || expected.empty
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media = self.media.split(|b| *b == 0).next().unwrap_or_default();
        match (self.empty, media) {
            (true, _) => f.write_str("nothing"),
            (false, []) => f.write_str("a body without a type"),
            // What an instance has sent goes into logs: only what a media type may consist of.
            (false, media) => media.escape_ascii().fmt(f),
        }
    }
}

/// `type/subtype` of the answer, without parameters; empty if it has none.
pub(super) fn media_type(answer: &Answer) -> &str {
    let value = answer.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// What is known about one instance's probe page. Forgotten when the process ends and when another
/// page is probed: a type that is wrong from the start is learnt like any other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habit {
    learnt: Option<Shape>,
    /// The last answer, if it was a good one but for its form.
    last: Option<Shape>,
    /// So many answers in a row had the form of `last`.
    same: u32,
}

impl Habit {
    /// Judges an answer that is good but for its form. It counts as usual after `rise` in a row.
    /// `others` are the last answers of the other candidates, if those were good: when all of them
    /// have the new form too, and there are any, it is the page that has changed (an upgrade of
    /// both), not the instance.
    ///
    /// # Errors
    /// The answer does not have the usual form.
    pub fn judge(&mut self, came: Shape, rise: u32, others: &[Shape]) -> Result<(), Cause> {
        self.same = if self.last == Some(came) { self.same.saturating_add(1) } else { 1 };
        self.last = Some(came);
        match self.learnt {
            None if self.same >= rise => self.learnt = Some(came),
            Some(expected) if !came.fits(&expected) => {
                if others.is_empty() || !others.iter().all(|o| o.fits(&came) && came.fits(o)) {
                    return Err(Cause::Unlike { expected, came });
                }
                self.learnt = Some(came);
            }
            _ => {}
        }
        Ok(())
    }

    /// A probe failed for another reason.
    pub const fn failed(&mut self) {
        (self.last, self.same) = (None, 0);
    }

    /// The form of the last answer, if it was a good one but for that.
    pub const fn last(&self) -> Option<Shape> {
        self.last
    }
}

/// Bytes; the longest registered ones that a health check would have are shorter.
const LONGEST: usize = 48;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    fn shape(media: &str, body: &'static str) -> Shape {
        let mut headers = HeaderMap::new();
        if !media.is_empty() {
            headers.insert(CONTENT_TYPE, media.parse().unwrap());
        }
        Shape::of(&Answer { status: StatusCode::OK, headers, body: Bytes::from_static(body.as_bytes()) })
    }

    fn json() -> Shape {
        shape("Application/JSON; charset=utf-8", "{}")
    }

    fn page() -> Shape {
        shape("text/html", "<html>")
    }

    fn learnt(usual: Shape) -> Habit {
        let mut habit = Habit::default();
        for _ in 0..3 {
            habit.judge(usual, 3, &[]).unwrap();
        }
        habit
    }

    #[test]
    fn another_type_fails_and_says_what_came() {
        let mut habit = learnt(json());
        let cause = habit.judge(page(), 3, &[json()]).unwrap_err();
        assert_eq!(cause.to_string(), "wrong body: text/html instead of application/json");
        assert!(habit.judge(page(), 3, &[]).is_err(), "also when there is nobody else to ask");
        habit.judge(shape("application/json", "[1]"), 3, &[]).unwrap();
    }

    #[test]
    fn nothing_where_there_was_something_fails_but_not_the_reverse() {
        let cause = learnt(json()).judge(shape("application/json", ""), 3, &[]).unwrap_err();
        assert_eq!(cause.to_string(), "wrong body: nothing instead of application/json");
        learnt(shape("text/plain", "")).judge(shape("text/plain", "ok"), 3, &[]).unwrap();
        let cause = learnt(shape("", "ok")).judge(page(), 3, &[]).unwrap_err();
        assert_eq!(cause.to_string(), "wrong body: text/html instead of a body without a type");
    }

    #[test]
    fn nothing_is_expected_before_enough_answers_in_a_row_agree() {
        let mut habit = Habit::default();
        for came in [json(), json(), page(), json(), json()] {
            habit.judge(came, 3, &[]).unwrap();
        }
        habit.failed();
        habit.judge(json(), 3, &[]).unwrap();
        habit.judge(page(), 3, &[]).unwrap();
    }

    #[test]
    fn an_upgrade_of_both_is_accepted() {
        let (mut a, mut b) = (learnt(json()), learnt(json()));
        assert!(a.judge(page(), 3, &[b.last().unwrap()]).is_err(), "a is first");
        b.judge(page(), 3, &[a.last().unwrap()]).unwrap();
        a.judge(page(), 3, &[b.last().unwrap()]).unwrap();
        assert!(a.judge(json(), 3, &[page(), json()]).is_err(), "all others, not some");
    }

    #[test]
    fn what_an_instance_sends_is_bounded_and_harmless() {
        let long = "x/".to_owned() + &"y".repeat(500);
        let text = shape(&long, "b").to_string();
        assert_eq!(text.len(), LONGEST);
        assert_eq!(shape("a\tb", "b").to_string(), r"a\tb");
    }
}
