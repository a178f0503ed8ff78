//! Token requests: what they ask for, and which instance a code or refresh token belongs to
//! (design D10). Only hashes are kept, in memory.

use std::time::Duration;

use super::form::{decode, field};
use super::issued::Hash;

/// What a token request asks for (fact sheet 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// User name and password, client id and secret: any instance may judge it.
    Password,
    /// Bound to the instance that issued this code or refresh token.
    Bound(Hash),
    /// A Windows user, who authenticates the connection: of HTTP/1.1 only.
    Windows,
    /// Something we do not know.
    Other,
}

/// Reads the form of a token request as leniently as the instances do: order does not matter,
/// what cannot be decoded is taken as it stands.
pub fn read(form: &[u8]) -> Grant {
    match field(form, "grant_type").as_deref().map(|kind| kind.trim_ascii()) {
        Some(b"password" | b"client_credentials") => Grant::Password,
        Some(b"authorization_code") => {
            field(form, "code").map_or(Grant::Other, |c| Grant::Bound(Hash::of(&c)))
        }
        Some(b"refresh_token") => {
            field(form, "refresh_token").map_or(Grant::Other, |t| Grant::Bound(Hash::of(&t)))
        }
        Some(b"windows_credentials" | b"windows_auth") => Grant::Windows,
        _ => Grant::Other,
    }
}

/// The hash of the `code` in a redirect back to a client.
pub fn code(location: &str) -> Option<Hash> {
    let (_, query) = location.split_once(['?', '#'])?;
    query
        .split(['&', '#'])
        .find_map(|pair| pair.strip_prefix("code="))
        .map(|code| Hash::of(&decode(code.as_bytes())))
}

/// How long a code is good for.
pub const CODE_LIFE: Duration = Duration::from_secs(600);
/// IdentityServer's own default is longer; a client that is away for more than a month signs in.
pub const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::Moment;
    use crate::session::issued::Issued;

    #[test]
    fn grants_in_any_order_and_encoding() {
        assert_eq!(read(b"grant_type=password&username=u&password=p"), Grant::Password);
        assert_eq!(read(b"username=u&password=a%b&grant%5Ftype=password"), Grant::Password);
        assert_eq!(read(b"client_id=x&grant_type=client_credentials"), Grant::Password);
        assert_eq!(read(b"grant_type=windows_credentials"), Grant::Windows);
        assert_eq!(read(b"grant_type=refresh_token"), Grant::Other);
        assert_eq!(read(b"grant_type=refresh_token&refresh_token=a%2Bb"), Grant::Bound(Hash::of(b"a+b")));
        assert_eq!(read(b""), Grant::Other);
        assert_eq!(read(b"&&=&%"), Grant::Other);
    }

    #[test]
    fn what_passes_is_remembered_for_its_life() {
        let issued = Issued::default();
        let hash = Hash::of(b"a+b");
        assert_eq!(read(b"refresh_token=a%2bb&grant_type=refresh_token"), Grant::Bound(hash));
        let now = Moment::from_micros(0);
        issued.remember(hash, 7, CODE_LIFE, now);
        assert_eq!(issued.find(hash, now), Some(7));
        assert_eq!(issued.find(hash, now + CODE_LIFE), None);
        assert_eq!(code("http://127.0.0.1:5656/?state=1&code=abc"), Some(Hash::of(b"abc")));
        assert_eq!(code("http://127.0.0.1/?state=1"), None);
    }
}
