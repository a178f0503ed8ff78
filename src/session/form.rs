//! Forms of the identity provider, read as leniently as the instances do and changed in one place
//! only: every other byte goes on as the client sent it (fact sheet 2.1).

use zeroize::Zeroizing;

/// The value of the first field `name`, in any case as ASP.NET has it. Order does not matter; what cannot be decoded is taken as
/// it stands.
pub fn field(form: &[u8], name: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, value) = pairs(form).find(|(key, _)| is(key, name))?;
    Some(Zeroizing::new(decode(value)))
}

/// The same form with another value in every field `name`.
pub fn with(form: &[u8], name: &str, value: &str) -> Zeroizing<Vec<u8>> {
    // Once, so that growing leaves no copy behind.
    let mut out = Zeroizing::new(Vec::with_capacity(form.len() + 3 * value.len() * pairs(form).count()));
    for (at, pair) in form.split(|b| *b == b'&').enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        match pair.iter().position(|b| *b == b'=') {
            Some(equals) if is(&pair[..equals], name) => {
                out.extend_from_slice(&pair[..=equals]);
                encode(value, &mut out);
            }
            _ => out.extend_from_slice(pair),
        }
    }
    out
}

fn is(key: &[u8], name: &str) -> bool {
    decode(key).trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

pub(super) fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|b| *b == b'&').filter_map(|pair| {
        let at = pair.iter().position(|b| *b == b'=')?;
        Some((&pair[..at], &pair[at + 1..]))
    })
}

fn encode(value: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &b in value.as_bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(b);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
        }
    }
}

/// Undoes the encoding of a form's name or value.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        let hex = |i: usize| text.get(at + i).and_then(|b| char::from(*b).to_digit(16));
        match (b, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are below 256.
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_changes_and_nothing_else() {
        let form = b"grant_type=refresh_token&&x&refresh%5Ftoken=old%2B&client_id=a+b%";
        let new = with(form, "refresh_token", "n/w+1");
        assert_eq!(&new[..], b"grant_type=refresh_token&&x&refresh%5Ftoken=n%2Fw%2B1&client_id=a+b%");
        assert_eq!(field(&new, "refresh_token").as_deref().map(Vec::as_slice), Some(&b"n/w+1"[..]));
        assert_eq!(field(form, "grant"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form(form in prop::collection::vec(any::<u8>(), 0..80), value in "\\PC{0,20}") {
            prop_assert_eq!(&with(&form, "no such field", &value)[..], &form[..]);
            let given = [b"t=1&".as_slice(), &form].concat();
            let new = with(&given, "t", &value);
            prop_assert_eq!(field(&new, "t").map(|v| v.to_vec()), Some(value.into_bytes()));
        }
    }
}
