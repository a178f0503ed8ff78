//! Finds GUIDs in bytes: where the text has the shape of one, and whether it may begin there.

use super::guid::{DASHES, Guid};

/// How many bytes before a candidate decide whether it is a GUID.
pub(super) const CONTEXT: usize = 16;

/// The first place at or after `from` where 36 bytes have the shape 8-4-4-4-12.
///
/// Boyer and Moore's search over three classes of bytes: it looks at the end of a window first, where
/// most texts have something that is neither digit nor dash, and then moves on by 36.
pub(super) fn find(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    'windows: while let Some(window) = text.get(at..).and_then(|rest| rest.first_chunk::<{ Guid::LEN }>()) {
        for offset in (0..Guid::LEN).rev() {
            let class = CLASS[usize::from(window[offset])];
            if class != SHAPE[offset] {
                at += SHIFT[offset][class as usize];
                continue 'windows;
            }
        }
        return Some(at);
    }
    None
}

/// How many bytes of `more` continue the shape of which `have` bytes are there.
pub(super) fn continues(have: usize, more: &[u8]) -> usize {
    let expected = SHAPE.iter().skip(have);
    more.iter().zip(expected).take_while(|(byte, class)| CLASS[usize::from(**byte)] == **class).count()
}

/// Where the last bytes begin that may be the first ones of a GUID as far as its shape goes: all of
/// them digits and dashes.
pub(super) fn run_at_end(text: &[u8]) -> usize {
    let last = text.iter().rev().take(Guid::LEN - 1);
    text.len() - last.take_while(|byte| CLASS[usize::from(**byte)] != Class::Other).count()
}

/// Whether a GUID may begin after `before`, the last [`CONTEXT`] bytes at most.
///
/// What ends in a letter, a digit, `-` or `_` goes on: a longer number, a name, base64. A percent
/// escape or a JSON escape counts as what it stands for (`\b` and `\f` do not: their letters are
/// digits, and they stand for nothing that is written). A SOAP token (fact sheet 2.4) is opaque.
/// The digits of the GUID have no say, or its partner would not be found in the same place.
pub(super) fn may_begin(before: &[u8]) -> bool {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match before {
        [] => true,
        // `%12`: the digits are those of the escape.
        [.., b'%'] => false,
        [.., b'%', high, low] if let Some(byte) = hex(&[*high, *low]) => {
            u8::try_from(byte).is_ok_and(|byte| !goes_on(byte)) && !is_token(before)
        }
        [escape @ .., b'u', a, b, c, d]
            if let (true, Some(unit)) = (is_escape(escape), hex(&[*a, *b, *c, *d])) =>
        {
            u8::try_from(unit).map_or(true, |byte| !goes_on(byte)) && !is_token(before)
        }
        [escape @ .., b'n' | b'r' | b't'] if is_escape(escape) => true,
        [.., last] => !goes_on(*last) && !is_token(before),
    }
}

/// Ends in a backslash that begins an escape, and is not one that is escaped itself.
fn is_escape(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The words before the GUID of `TOKEN#<guid>#host//ServerConnector#`, however `#` is escaped.
fn is_token(before: &[u8]) -> bool {
    let hashes: [&[u8]; 6] = [b"#", b"%23", b"&#35;", b"&#x23;", b"&#X23;", b"\\u0023"];
    hashes.iter().any(|hash| before.strip_suffix(*hash).is_some_and(|rest| rest.ends_with(b"TOKEN")))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Digit,
    Dash,
}

const CLASS: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        // Of 256 values every one is a byte.
        if (byte as u8).is_ascii_hexdigit() {
            classes[byte] = Class::Digit;
        }
        byte += 1;
    }
    classes[b'-' as usize] = Class::Dash;
    classes
};

const SHAPE: [Class; Guid::LEN] = {
    let mut shape = [Class::Digit; Guid::LEN];
    let mut dash = 0;
    while dash < DASHES.len() {
        shape[DASHES[dash]] = Class::Dash;
        dash += 1;
    }
    shape
};

/// By offset of the first byte (from the end) that does not fit, and its class: how far the next
/// window that agrees with all bytes seen is away.
const SHIFT: [[usize; 3]; Guid::LEN] = {
    let mut table = [[0; 3]; Guid::LEN];
    let classes = [Class::Other, Class::Digit, Class::Dash];
    let mut offset = 0;
    while offset < Guid::LEN {
        let mut class = 0;
        while class < classes.len() {
            let mut shift = 1;
            while !agrees(offset, classes[class], shift) {
                shift += 1;
            }
            table[offset][class] = shift;
            class += 1;
        }
        offset += 1;
    }
    table
};

/// Whether a window that begins `shift` later fits the bytes after `offset`, which fitted, and the
/// one at `offset`, which is of `class`.
const fn agrees(offset: usize, class: Class, shift: usize) -> bool {
    let mut at = offset;
    while at < Guid::LEN {
        let seen = if at == offset { class } else { SHAPE[at] };
        if at >= shift && SHAPE[at - shift] as usize != seen as usize {
            return false;
        }
        at += 1;
    }
    true
}
