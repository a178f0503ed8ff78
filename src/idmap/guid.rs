//! The id of an object, as the VMS writes it: 8-4-4-4-12 hexadecimal digits in any case.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::scan;

/// A GUID. Compared by its value, not by the case of its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

/// The letters of a GUID's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Small letters; also for a text of mixed case, or without letters.
    Lower,
    /// Capitals only.
    Upper,
}

/// A text that is no GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a GUID of the form 8-4-4-4-12")]
pub struct NotAGuid;

impl Guid {
    /// Bytes of the text.
    pub const LEN: usize = 36;

    /// What the VMS writes where there is no object.
    pub const NIL: Self = Self([0; 16]);

    /// The GUID with these bytes, in the order of the text.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order of the text.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads exactly 8-4-4-4-12 digits: no braces, nothing around.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; Self::LEN] = text.try_into().ok()?;
        let mut bytes = [0; 16];
        let mut pairs = bytes.iter_mut();
        for group in text.split(|b| *b == b'-').zip(GROUPS) {
            let (digits, len) = group;
            if digits.len() != len {
                return None;
            }
            for pair in digits.chunks_exact(2) {
                *pairs.next()? = digit(*pair.first()?)? << 4 | digit(*pair.last()?)?;
            }
        }
        pairs.next().is_none().then_some(Self(bytes))
    }

    /// The text in this case.
    pub fn text(self, case: Case) -> [u8; Self::LEN] {
        let digits = match case {
            Case::Lower => b"0123456789abcdef",
            Case::Upper => b"0123456789ABCDEF",
        };
        let mut text = [b'-'; Self::LEN];
        let mut halves = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, place) in text.iter_mut().enumerate() {
            if !DASHES.contains(&at)
                && let Some(half) = halves.next()
            {
                *place = digits[usize::from(half)];
            }
        }
        text
    }
}

impl Case {
    /// The case of a GUID's text.
    pub fn of(text: &[u8]) -> Self {
        let upper = text.iter().any(u8::is_ascii_uppercase) && !text.iter().any(u8::is_ascii_lowercase);
        if upper { Self::Upper } else { Self::Lower }
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        Self::parse(text.as_bytes()).ok_or(NotAGuid)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(Case::Lower).iter().try_for_each(|b| fmt::Write::write_char(f, char::from(*b)))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text with every GUID in it, whatever stands around it, in lower case.
pub fn lower_all(text: &str) -> Cow<'_, str> {
    let mut lower = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(at) = scan::find(text.as_bytes(), from) {
        from = at + 1;
        let upper =
            text.get(at..at + Guid::LEN).is_some_and(|guid| guid.bytes().any(|b| b.is_ascii_uppercase()));
        if upper && let Some(guid) = lower.to_mut().get_mut(at..at + Guid::LEN) {
            guid.make_ascii_lowercase();
        }
    }
    lower
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Digits between the dashes.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
/// Where the dashes stand.
pub(super) const DASHES: [usize; 4] = [8, 13, 18, 23];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_form() {
        let good = "00112233-4455-6677-8899-aAbBcCdDeEfF";
        let guid: Guid = good.parse().unwrap();
        assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(guid.bytes()[15], 0xff);
        assert_eq!(guid.text(Case::Upper), *b"00112233-4455-6677-8899-AABBCCDDEEFF");
        for bad in [
            "",
            "00112233445566778899aabbccddeeff",
            "{00112233-4455-6677-8899-aabbccddeeff}",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeeff0",
            "00112233-4455-6677-8899-aabbccddeefg",
            "0011223-34455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccdd-eff",
            "------------------------------------",
        ] {
            assert_eq!(bad.parse::<Guid>(), Err(NotAGuid), "{bad}");
        }
    }

    #[test]
    fn only_capitals_alone_are_upper_case() {
        assert_eq!(Case::of(b"0011-AA"), Case::Upper);
        for lower in ["0011-aa", "0011-Aa", "0011"] {
            assert_eq!(Case::of(lower.as_bytes()), Case::Lower);
        }
    }

    #[test]
    fn every_guid_of_a_text_in_lower_case() {
        let upper = "A-0E1B0AD3-F67C-4D5F-B792-4BD6C3CF52F8-F67C-4D5F-B792-4BD6C3CF52F8 Ä {0E1B0AD3-f67c-4d5f-b792-4bd6c3cf52f8}";
        let lower = "A-0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8-f67c-4d5f-b792-4bd6c3cf52f8 Ä {0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8}";
        assert_eq!(lower_all(upper), lower);
        assert!(matches!(lower_all(lower), Cow::Borrowed(_)));
        assert_eq!(lower_all("Gate 1"), "Gate 1");
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16], upper: bool) {
            let guid = Guid::new(bytes);
            let case = if upper { Case::Upper } else { Case::Lower };
            prop_assert_eq!(Guid::parse(&guid.text(case)), Some(guid));
            prop_assert_eq!(guid.to_string().parse(), Ok(guid));
        }

        #[test]
        fn no_text_panics(text: Vec<u8>) {
            let _ = Guid::parse(&text);
        }
    }
}
