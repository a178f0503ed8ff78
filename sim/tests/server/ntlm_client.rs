//! A client's half of NTLMv2, written for tests that have to hold single messages in their hands. That the server also
//! agrees with clients that nobody here wrote is shown with curl.

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;

/// Unicode, target name, NTLM, always sign, extended session security, version.
const FLAGS: u32 = 0x0208_8205;

/// Who logs in.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub domain: &'a str,
    pub user: &'a str,
    pub password: &'a str,
}

/// Type 1.
pub fn negotiate() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 24]);
    message
}

/// Type 3, with the channel bindings and the integrity code that Windows sends over TLS.
pub fn authenticate(challenge: &[u8], who: Credentials<'_>) -> Vec<u8> {
    assert!(challenge.starts_with(b"NTLMSSP\0\x02\0\0\0"));
    let at = |at: usize| usize::from(u16::from_le_bytes(challenge[at..at + 2].try_into().unwrap()));
    // Without the pair that ends it.
    let mut info = challenge[at(44)..at(44) + at(40) - 4].to_vec();
    info.extend([6, 0, 4, 0, 2, 0, 0, 0]);
    info.extend([10, 0, 16, 0]);
    info.extend([0x5a; 16]);
    info.extend([0; 4]);
    let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
    blob.extend([0x11; 8]);
    blob.extend([0x22; 8]);
    blob.extend([0; 4]);
    blob.extend(info);
    blob.extend([0; 4]);
    let hash = Md4::digest(utf16(who.password));
    let secret = mac(&hash, &[&utf16(&who.user.to_uppercase()), &utf16(who.domain)]);
    let proof = mac(&secret, &[&challenge[24..32], &blob]);
    let response = [proof.as_slice(), &blob].concat();
    let mut message = assemble(&response, who);
    let code = mac(&mac(&secret, &[&proof]), &[&negotiate(), challenge, &message]);
    message[72..88].copy_from_slice(&code);
    message
}

/// Type 3 of somebody who does not want to say who it is.
pub fn anonymous() -> Vec<u8> {
    assemble(&[], Credentials { domain: "", user: "", password: "" })
}

fn assemble(response: &[u8], who: Credentials<'_>) -> Vec<u8> {
    let (domain, user) = (utf16(who.domain), utf16(who.user));
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut payload: Vec<u8> = Vec::new();
    for field in [&[0; 24], response, &domain, &user, &[], &[]] {
        let length = u16::try_from(field.len()).unwrap().to_le_bytes();
        message.extend(length);
        message.extend(length);
        message.extend(u32::try_from(88 + payload.len()).unwrap().to_le_bytes());
        payload.extend(field);
    }
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 8 + 16]);
    message.extend(payload);
    message
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}
