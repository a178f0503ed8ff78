//! Whether an answer to a challenge was made with the user's password (MS-NLMP 3.3.2): nothing but HMAC-MD5 and MD4
//! over the fields of the messages.
//!
//! The crate `sspi` has a server side too, but it never compares the proof: it only checks the integrity code, and a
//! client that sends none (curl) gets in with any password.

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;

use super::message::{Authenticate, utf16};

/// What the server sent, and what it had got before.
pub struct Exchange {
    /// The random part of the challenge.
    pub nonce: [u8; 8],
    /// The type 1 message.
    pub negotiate: Vec<u8>,
    /// The type 2 message.
    pub challenge: Vec<u8>,
}

/// Whether the answer proves the password, and whether none of the three messages was changed on the way.
pub fn holds(exchange: &Exchange, answer: &Authenticate, password: &str) -> bool {
    let secret = secret(&answer.user, &answer.domain, password);
    if mac(&secret, &[&exchange.nonce, &answer.blob]).verify_slice(&answer.proof).is_err() {
        return false;
    }
    let Some((code, message)) = &answer.mic else { return true };
    let key = bytes(mac(&secret, &[&answer.proof]));
    mac(&key, &[&exchange.negotiate, &exchange.challenge, message]).verify_slice(code).is_ok()
}

/// The key that a user's proofs are made with (NTOWFv2).
fn secret(user: &str, domain: &str, password: &str) -> [u8; 16] {
    let hash = Md4::digest(utf16(password)).into();
    bytes(mac(&hash, &[&utf16(&user.to_uppercase()), &utf16(domain)]))
}

fn mac(key: &[u8; 16], parts: &[&[u8]]) -> Hmac<Md5> {
    // HMAC itself fills a short key up with zeroes.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Md5>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn bytes(mac: Hmac<Md5>) -> [u8; 16] {
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of MS-NLMP 4.2.4.
    fn example() -> (Exchange, Authenticate) {
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend([0; 8]);
        blob.extend([0xaa; 8]);
        blob.extend([0; 4]);
        for (id, text) in [(2_u16, "Domain"), (1, "Server")] {
            blob.extend(id.to_le_bytes());
            blob.extend(12_u16.to_le_bytes());
            blob.extend(utf16(text));
        }
        blob.extend([0; 8]);
        let proof =
            [0x68, 0xcd, 0x0a, 0xb8, 0x51, 0xe5, 0x1c, 0x96, 0xaa, 0xbc, 0x92, 0x7b, 0xeb, 0xef, 0x6a, 0x1c];
        let nonce = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        (
            Exchange { nonce, negotiate: b"1".to_vec(), challenge: b"2".to_vec() },
            Authenticate { domain: "Domain".to_owned(), user: "User".to_owned(), proof, blob, mic: None },
        )
    }

    #[test]
    fn the_example_of_the_specification_holds() {
        let (exchange, answer) = example();
        assert!(holds(&exchange, &answer, "Password"));
        assert!(!holds(&exchange, &answer, "password"));
        assert!(!holds(&exchange, &Authenticate { domain: String::new(), ..answer }, "Password"));
        let (exchange, answer) = example();
        assert!(!holds(&Exchange { nonce: [0; 8], ..exchange }, &answer, "Password"), "another challenge");
    }

    #[test]
    fn an_integrity_code_covers_all_three_messages() {
        let (exchange, mut answer) = example();
        // Session base key of the example.
        let key =
            [0x8d, 0xe4, 0x0c, 0xca, 0xdb, 0xc1, 0x4a, 0x82, 0xf1, 0x5c, 0xb0, 0xad, 0x0d, 0xe9, 0x5c, 0xa3];
        answer.mic = Some((bytes(mac(&key, &[b"1", b"2", b"3"])), b"3".to_vec()));
        assert!(holds(&exchange, &answer, "Password"));
        assert!(!holds(&Exchange { negotiate: b"x".to_vec(), ..exchange }, &answer, "Password"));
    }
}
