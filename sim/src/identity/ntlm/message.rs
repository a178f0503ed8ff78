//! The bytes of the three NTLM messages (MS-NLMP 2.2.1). Whatever a client sends, reading never fails worse than
//! with `None`.

/// First bytes of every message.
const SIGNATURE: &[u8] = b"NTLMSSP\0";

const UNICODE: u32 = 1;
const OEM: u32 = 1 << 1;
const REQUEST_TARGET: u32 = 1 << 2;
const SIGN: u32 = 1 << 4;
const SEAL: u32 = 1 << 5;
const NTLM: u32 = 1 << 9;
const ALWAYS_SIGN: u32 = 1 << 15;
const TARGET_IS_DOMAIN: u32 = 1 << 16;
const EXTENDED_SECURITY: u32 = 1 << 19;
const TARGET_INFO: u32 = 1 << 23;
const VERSION: u32 = 1 << 25;
const KEY_128: u32 = 1 << 29;
const KEY_56: u32 = 1 << 31;
/// What a client may ask for and gets. Key exchange is not among it: it only serves signed and sealed messages,
/// which HTTP has none of.
const GRANTED: u32 = UNICODE | SIGN | SEAL | ALWAYS_SIGN | EXTENDED_SECURITY | KEY_128 | KEY_56;

/// Windows Server 2019.
const SERVER_VERSION: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

/// Ids of attribute-value pairs (MS-NLMP 2.2.2.1).
const AV_END: u16 = 0;
const AV_COMPUTER: u16 = 1;
const AV_DOMAIN: u16 = 2;
const AV_DNS_COMPUTER: u16 = 3;
const AV_DNS_DOMAIN: u16 = 4;
const AV_FLAGS: u16 = 6;
const AV_TIMESTAMP: u16 = 7;
/// In [`AV_FLAGS`]: the message carries an integrity code.
const HAS_MIC: u32 = 2;

/// Where a type 3 message carries its integrity code, and how long it is.
const MIC: std::ops::Range<usize> = 72..88;

/// Who challenges.
pub struct Server<'a> {
    /// NetBIOS name of the domain.
    pub domain: &'a str,
    /// DNS name of the domain.
    pub dns_domain: &'a str,
    /// DNS name of this computer.
    pub dns_computer: &'a str,
}

/// What a client sends.
pub enum Message {
    /// Type 1: it wants to begin; what it asks for.
    Negotiate(u32),
    /// Type 3: it answers a challenge.
    Authenticate(Authenticate),
}

/// A type 3 message.
pub struct Authenticate {
    /// The domain as the client wrote it.
    pub domain: String,
    /// The user as the client wrote it.
    pub user: String,
    /// The NTLMv2 response: the proof, and what it was made over.
    pub proof: [u8; 16],
    /// What the proof was made over, besides the challenge.
    pub blob: Vec<u8>,
    /// The integrity code, if the client says that it sent one; and the message with zeroes in its place.
    pub mic: Option<([u8; 16], Vec<u8>)>,
}

impl Message {
    /// Reads a type 1 or type 3 message.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(SIGNATURE) {
            return None;
        }
        match u32_at(bytes, 8)? {
            1 => u32_at(bytes, 12).map(Self::Negotiate),
            3 => Authenticate::parse(bytes).map(Self::Authenticate),
            _ => None,
        }
    }
}

impl Authenticate {
    /// Only NTLMv2 is read: an anonymous client and one of the 1990s have no proof in it.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let flags = u32_at(bytes, 60)?;
        let text = |at| decoded(field(bytes, at)?, flags & UNICODE != 0);
        let (proof, blob) = field(bytes, 20)?.split_first_chunk::<16>()?;
        // Version 1 of the response, in its highest and its own place; then reserved bytes, time, client challenge.
        if !blob.starts_with(&[1, 1]) {
            return None;
        }
        let mic = if av_flags(blob.get(28..)?) & HAS_MIC == 0 {
            None
        } else {
            let code = <[u8; 16]>::try_from(bytes.get(MIC)?).ok()?;
            let mut plain = bytes.to_vec();
            plain.get_mut(MIC)?.fill(0);
            Some((code, plain))
        };
        Some(Self { domain: text(28)?, user: text(36)?, proof: *proof, blob: blob.to_vec(), mic })
    }
}

/// A type 2 message. `time` is a Windows file time.
pub fn challenge(asked: u32, nonce: [u8; 8], server: &Server<'_>, time: u64) -> Vec<u8> {
    let mut flags = asked & GRANTED | REQUEST_TARGET | NTLM | TARGET_IS_DOMAIN | TARGET_INFO | VERSION;
    let unicode = asked & UNICODE != 0;
    if !unicode {
        flags |= OEM;
    }
    let name = if unicode { utf16(server.domain) } else { server.domain.as_bytes().to_vec() };
    let computer = server.dns_computer.split('.').next().unwrap_or_default().to_uppercase();
    let mut info = Vec::new();
    for (id, value) in [
        (AV_DOMAIN, utf16(server.domain)),
        (AV_COMPUTER, utf16(&computer)),
        (AV_DNS_DOMAIN, utf16(server.dns_domain)),
        (AV_DNS_COMPUTER, utf16(server.dns_computer)),
        (AV_TIMESTAMP, time.to_le_bytes().to_vec()),
        (AV_END, Vec::new()),
    ] {
        info.extend(id.to_le_bytes());
        info.extend(length(&value).to_le_bytes());
        info.extend(value);
    }
    /// Where the payload begins.
    const PAYLOAD: u32 = 56;
    let mut message = SIGNATURE.to_vec();
    message.extend(2_u32.to_le_bytes());
    pointer(&mut message, &name, PAYLOAD);
    message.extend(flags.to_le_bytes());
    message.extend(nonce);
    message.extend([0; 8]);
    pointer(&mut message, &info, PAYLOAD + u32::from(length(&name)));
    message.extend(SERVER_VERSION);
    message.extend(name);
    message.extend(info);
    message
}

/// UTF-16, low byte first.
pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Length of one of our own fields: names of hosts and domains, far below the limit.
fn length(field: &[u8]) -> u16 {
    u16::try_from(field.len()).unwrap_or(u16::MAX)
}

fn pointer(message: &mut Vec<u8>, field: &[u8], at: u32) {
    message.extend(length(field).to_le_bytes());
    message.extend(length(field).to_le_bytes());
    message.extend(at.to_le_bytes());
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// What a length and an offset point at.
fn field(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16_at(bytes, at)?);
    let start = usize::try_from(u32_at(bytes, at + 4)?).ok()?;
    if length == 0 { Some(&[]) } else { bytes.get(start..start.checked_add(length)?) }
}

fn decoded(bytes: &[u8], unicode: bool) -> Option<String> {
    if !unicode {
        return Some(bytes.iter().copied().map(char::from).collect());
    }
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    String::from_utf16(&pairs.iter().copied().map(u16::from_le_bytes).collect::<Vec<_>>()).ok()
}

/// The flags among attribute-value pairs; none if there are none.
fn av_flags(mut pairs: &[u8]) -> u32 {
    while let (Some(id), Some(length)) = (u16_at(pairs, 0), u16_at(pairs, 2)) {
        let value = pairs.get(4..).unwrap_or_default();
        match id {
            AV_END => break,
            AV_FLAGS => return u32_at(value, 0).unwrap_or(0),
            _ => pairs = value.get(usize::from(length)..).unwrap_or_default(),
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const SERVER: Server<'_> =
        Server { domain: "VMS", dns_domain: "vms.example", dns_computer: "a.vms.example" };

    #[test]
    fn a_challenge_speaks_the_clients_alphabet() {
        let unicode = challenge(UNICODE | OEM | 1 << 30, [7; 8], &SERVER, 5);
        assert_eq!(field(&unicode, 12).unwrap(), utf16("VMS"));
        assert_eq!(u32_at(&unicode, 20).unwrap() & (UNICODE | OEM | 1 << 30), UNICODE, "no key exchange");
        assert_eq!(unicode.get(24..32).unwrap(), [7; 8]);
        let info = field(&unicode, 40).unwrap();
        assert!(info.windows(26).any(|bytes| bytes == utf16("a.vms.example")));
        let oem = challenge(OEM, [7; 8], &SERVER, 5);
        assert_eq!(field(&oem, 12).unwrap(), b"VMS");
    }

    #[test]
    fn fields_that_point_outside_are_no_message() {
        let mut message = SIGNATURE.to_vec();
        message.extend(3_u32.to_le_bytes());
        message.extend([0xff; 80]);
        assert!(Message::parse(&message).is_none());
        assert!(Message::parse(b"NTLMSSP\0\x01\0\0\0").is_none());
        assert!(Message::parse(b"NTLMSSX\0\x01\0\0\0\0\0\0\0").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(kind in 0_u32..5, rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut message = SIGNATURE.to_vec();
            message.extend(kind.to_le_bytes());
            message.extend(rest);
            let _ = Message::parse(&message);
            av_flags(&message);
        }
    }
}
