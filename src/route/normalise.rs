//! What a path means, decided once. The path itself is passed on as it came: only our reading of
//! it is normalised, and what two readers could understand differently is refused.

use std::borrow::Cow;

/// Why a path is refused (design D12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// `.` or `..`, plain or encoded once or twice.
    Traversal,
    /// A backslash, which IIS takes for a slash, or an encoded control byte.
    Forbidden,
    /// A `%` that is not followed by two hexadecimal digits.
    Encoding,
}

/// Checks a path as it stands in the request line (without the query).
///
/// # Errors
/// The first fault found.
pub fn check(path: &str) -> Result<(), PathFault> {
    // The common case costs one pass: no dot segment without a dot, no decoding without a `%`.
    if !path.bytes().any(|b| matches!(b, b'%' | b'\\' | b'.')) {
        return Ok(());
    }
    let once = decode(path).ok_or(PathFault::Encoding)?;
    inspect(&once)?;
    // A second reader behind the instance may decode again. What is not an encoding then is data.
    if once.contains(&b'%')
        && let Ok(text) = std::str::from_utf8(&once)
        && let Some(twice) = decode(text)
    {
        inspect(&twice)?;
    }
    Ok(())
}

fn inspect(decoded: &[u8]) -> Result<(), PathFault> {
    if decoded.iter().any(|b| *b == b'\\' || b.is_ascii_control()) {
        return Err(PathFault::Forbidden);
    }
    if decoded.split(|b| *b == b'/').any(|segment| matches!(segment, b"." | b"..")) {
        return Err(PathFault::Traversal);
    }
    Ok(())
}

/// Percent-decodes; `None` if an encoding is broken.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
            out.push(high << 4 | low);
        } else {
            out.push(b);
        }
    }
    Some(out)
}

fn hex(b: u8) -> Option<u8> {
    // A hexadecimal digit is below 16.
    char::from(b).to_digit(16).map(|d| d as u8)
}

/// The segments of a path that passed [`check`], percent-decoded, empty ones left out, as a client
/// and IIS both understand them: `/API//rest/v1/` is `API`, `rest`, `v1`. An encoded slash stays
/// inside its segment, so it can only make a path unknown, never reach another service.
pub fn segments(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    path.split('/').filter(|s| !s.is_empty()).map(|segment| {
        if segment.contains('%') {
            decode(segment)
                .map_or(Cow::Borrowed(segment), |d| Cow::Owned(String::from_utf8_lossy(&d).into_owned()))
        } else {
            Cow::Borrowed(segment)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn traversal_is_found_at_every_depth() {
        for path in ["/a/../b", "/a/%2e%2e/b", "/a/%252e%252e/b", "/..", "/a/.", "/a/.%2E/b", "/a%2f..%2fb"] {
            assert_eq!(check(path), Err(PathFault::Traversal), "{path}");
        }
        for path in ["/a\\b", "/a%5cb", "/a%00", "/a%0d%0aX", "/a%255c"] {
            assert_eq!(check(path), Err(PathFault::Forbidden), "{path}");
        }
        for path in ["/a%", "/a%2", "/a%zz"] {
            assert_eq!(check(path), Err(PathFault::Encoding), "{path}");
        }
        for path in ["/", "/a.b/c..d/...", "/a%20b", "/%E2%82%AC", "/100%25", "/a%2525b"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn segments_are_what_a_reader_sees() {
        let seen: Vec<_> = segments("/API//r%65st/v1%2Falarms/").collect();
        assert_eq!(seen, ["API", "rest", "v1/alarms"]);
    }

    proptest! {
        #[test]
        fn an_accepted_path_has_no_dot_segment(path in "/[a-z./%25eE0-9]{0,24}") {
            if check(&path).is_ok() {
                prop_assert!(segments(&path).all(|s| s != "." && s != ".."));
            }
        }
    }
}
