//! Credentials that authenticate the connection which carries them, not the request: NTLM and
//! Negotiate (fact sheet 2.9). Read only so far that the messages of a handshake stay on one
//! connection; the instance judges them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a message asks of the connection that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first of a handshake (NTLM type 1): any connection that nobody else uses will do.
    Begins,
    /// Kerberos, SPNEGO, or no message at all: begins a handshake unless one is in progress.
    Opaque,
    /// Answers a challenge (NTLM type 3): worth something only on the connection that carried it.
    Continues,
}

/// The message in an `Authorization` header, if it is of this kind.
///
/// Generous in what counts as one of the two schemes, because a server may be: what is taken for
/// one without need costs a connection, what is missed an identity.
pub fn message(value: &[u8]) -> Option<Message> {
    let token = after(value, b"ntlm").or_else(|| after(value, b"negotiate"))?.trim_ascii_start();
    Some(match token.get(..HEAD_IN_BASE64).map(|head| STANDARD.decode(head)) {
        Some(Ok(head)) => of_type(&head),
        Some(Err(_)) | None => Message::Opaque,
    })
}

/// The user in the message that holds the proof (NTLM type 3), with the domain before it; also where
/// Negotiate has wrapped the message. What a message does not say is empty.
pub fn user(value: &[u8]) -> Option<String> {
    let token = after(value, b"ntlm").or_else(|| after(value, b"negotiate"))?;
    let bytes = STANDARD.decode(token.trim_ascii()).ok()?;
    let at = bytes.windows(PROOF.len()).position(|window| window == PROOF)?;
    let message = &bytes[at..];
    let (domain, user) = (text(message, 28).unwrap_or_default(), text(message, 36).unwrap_or_default());
    Some(if domain.is_empty() { user } else { format!("{domain}\\{user}") })
}

/// A text of a type 3 message: length, room and place stand `at` this place ([MS-NLMP] 2.2.1.3).
fn text(message: &[u8], at: usize) -> Option<String> {
    let number = |at: usize| message.get(at..at + 4)?.first_chunk().map(|b| u32::from_le_bytes(*b));
    let (length, from) = (number(at)? as usize & 0xFFFF, number(at + 4)? as usize);
    let bytes = message.get(from..from.checked_add(length)?)?;
    let is_utf16 = number(60)? & 1 != 0;
    Some(match is_utf16 {
        true => String::from_utf16_lossy(
            &bytes.as_chunks().0.iter().map(|c| u16::from_le_bytes(*c)).collect::<Vec<_>>(),
        ),
        false => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// How a type 3 message begins.
const PROOF: &[u8] = b"NTLMSSP\0\x03\0\0\0";

fn after<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let (name, rest) = value.split_at_checked(scheme.len())?;
    name.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// [MS-NLMP] 2.2: signature, then the type as a little-endian number.
fn of_type(head: &[u8]) -> Message {
    match head.strip_prefix(b"NTLMSSP\0") {
        Some([1, 0, 0, 0]) => Message::Begins,
        Some([3, 0, 0, 0]) => Message::Continues,
        Some(_) | None => Message::Opaque,
    }
}

/// Signature and type are 12 bytes.
const HEAD_IN_BASE64: usize = 16;

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn of(value: &str) -> Option<Message> {
        message(value.as_bytes())
    }

    #[test]
    fn the_type_decides() {
        for scheme in ["NTLM", "ntlm", "Negotiate", "NEGOTIATE"] {
            let is = |token: &str| of(&format!("{scheme} {token}")).unwrap();
            assert_eq!(is("TlRMTVNTUAABAAAAB4IIogAAAAAAAAAA"), Message::Begins);
            assert_eq!(is("  TlRMTVNTUAABAAAA"), Message::Begins, "more than one blank");
            assert_eq!(is("TlRMTVNTUAADAAAA"), Message::Continues);
            assert_eq!(is("TlRMTVNTUAADAAAAGAAYAA=="), Message::Continues);
            assert_eq!(is("TlRMTVNTUAACAAAA"), Message::Opaque, "what only a server says");
            assert_eq!(is("TlRMTVNTUAABAAAB"), Message::Opaque, "no such type");
            assert_eq!(is("YIIFVwYGKwYBBQUCoIIFSzCC"), Message::Opaque, "SPNEGO");
            for broken in [
                "",
                "TlRM",
                "TlRMTVNTUAAD",
                "TlRMTVNT!!ADAAAA",
                "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
            ] {
                assert_eq!(is(broken), Message::Opaque, "{broken:?}");
            }
        }
        assert_eq!(of("NTLM"), Some(Message::Opaque));
        assert_eq!(of("NTLM\tTlRMTVNTUAADAAAA"), Some(Message::Continues));
    }

    #[test]
    fn others_are_not_of_this_kind() {
        for value in ["Bearer a.b.c", "Basic dTpw", "", "nt", "Digest username=\"ntlm\""] {
            assert_eq!(of(value), None, "{value}");
        }
    }

    /// A type 3 message with these names, as a Windows client lays it out.
    pub(crate) fn proof(domain: &str, name: &str) -> Vec<u8> {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let (domain, name) = (wide(domain), wide(name));
        let mut message = [PROOF, &[0; 52]].concat();
        let mut field = |at: usize, length: usize, from: usize| {
            message[at..at + 2].copy_from_slice(&(length as u16).to_le_bytes());
            message[at + 4..at + 8].copy_from_slice(&(from as u32).to_le_bytes());
        };
        field(28, domain.len(), 64);
        field(36, name.len(), 64 + domain.len());
        message[60] = 1;
        [message, domain, name].concat()
    }

    #[test]
    fn the_proof_names_its_user() {
        let of = |bytes: &[u8], scheme: &str| user(format!("{scheme} {}", STANDARD.encode(bytes)).as_bytes());
        let name = Some("VMS\\J\u{f6}rg".to_owned());
        assert_eq!(of(&proof("VMS", "J\u{f6}rg"), "NTLM"), name);
        assert_eq!(of(&[&b"\xa1\x81wrapped"[..], &proof("VMS", "J\u{f6}rg")].concat(), "Negotiate"), name);
        assert_eq!(of(&proof("", "joe@vms.example"), "NTLM").as_deref(), Some("joe@vms.example"));
        assert_eq!(of(&proof("VMS", "joe")[..20], "NTLM").as_deref(), Some(""), "cut short");
        assert_eq!(of(b"NTLMSSP\0\x01\0\0\0", "NTLM"), None, "the first message names nobody");
        assert_eq!(user(b"Basic dTpw"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(value in prop::collection::vec(any::<u8>(), 0..64)) {
            message(&value);
            user(&value);
            user(format!("NTLM {}", STANDARD.encode([PROOF, &value].concat())).as_bytes());
        }

        /// A type-3 message is never taken for one that may go anywhere.
        #[test]
        fn a_message_is_known_whatever_follows(rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let bytes = [&b"NTLMSSP\0\x03\0\0\0"[..], &rest].concat();
            let value = format!("NTLM {}", STANDARD.encode(bytes));
            prop_assert_eq!(of(&value), Some(Message::Continues));
        }
    }
}
