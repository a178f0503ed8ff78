//! The head of a frame (RFC 6455 5.2), read as strictly as the standard allows.

use std::io::Cursor;

use bytes::{BufMut, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::{Side, Violation};

/// The head of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the payload is.
    pub kind: Kind,
    /// The last frame of its message.
    pub last: bool,
    /// What the payload was combined with; all frames of clients have one, those of servers none.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: u64,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The begin of a text message.
    Text,
    /// The begin of a message of bytes.
    Binary,
    /// More of the message that was begun.
    Continuation,
    /// The sender says nothing more.
    Close,
    /// Sign of life asked for.
    Ping,
    /// Sign of life.
    Pong,
}

impl Kind {
    /// May stand between the frames of a message, and is never split.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn opcode(self) -> OpCode {
        match self {
            Self::Continuation => OpCode::Data(Data::Continue),
            Self::Text => OpCode::Data(Data::Text),
            Self::Binary => OpCode::Data(Data::Binary),
            Self::Close => OpCode::Control(Control::Close),
            Self::Ping => OpCode::Control(Control::Ping),
            Self::Pong => OpCode::Control(Control::Pong),
        }
    }
}

impl Head {
    /// Reads the head at the begin of `bytes`, which come from `side`, and how long it is. `None`
    /// if its end is missing; a head has at most [`Head::LONGEST`] bytes.
    ///
    /// # Errors
    /// When no end may send such a head.
    pub fn read(bytes: &[u8], side: Side) -> Result<Option<(Self, usize)>, Violation> {
        let mut cursor = Cursor::new(bytes);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| Violation::Opcode)? else {
            return Ok(None);
        };
        let size = usize::try_from(cursor.position()).map_err(|_| Violation::Length)?;
        if header.rsv1 || header.rsv2 || header.rsv3 {
            // No extension was negotiated: the request for one was taken out.
            return Err(Violation::Reserved);
        }
        if header.mask.is_some() != (side == Side::Client) {
            return Err(Violation::Mask);
        }
        if length >> 63 != 0 || header.len(length) != size {
            return Err(Violation::Length);
        }
        let kind = match header.opcode {
            OpCode::Data(Data::Continue) => Kind::Continuation,
            OpCode::Data(Data::Text) => Kind::Text,
            OpCode::Data(Data::Binary) => Kind::Binary,
            OpCode::Control(Control::Close) => Kind::Close,
            OpCode::Control(Control::Ping) => Kind::Ping,
            OpCode::Control(Control::Pong) => Kind::Pong,
            OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
                return Err(Violation::Opcode);
            }
        };
        if kind.is_control() && (length > LONGEST_CONTROL || !header.is_final) {
            return Err(Violation::Control);
        }
        Ok(Some((Self { kind, last: header.is_final, mask: header.mask, length }, size)))
    }

    /// Appends the head.
    pub fn write(&self, out: &mut BytesMut) {
        let header = FrameHeader {
            is_final: self.last,
            opcode: self.kind.opcode(),
            mask: self.mask,
            ..FrameHeader::default()
        };
        // A buffer in memory takes everything.
        let _ = header.format(self.length, &mut out.writer());
    }

    /// Bytes.
    pub const LONGEST: usize = 14;
}

/// Bytes of payload.
const LONGEST_CONTROL: u64 = 125;

/// Combines `bytes`, which begin `offset` bytes after the begin of their frame's payload, with
/// `mask` (RFC 6455 5.3). The same again takes it off.
pub fn mask(bytes: &mut [u8], mask: [u8; 4], offset: u64) {
    let mut key = mask;
    // Less than 4.
    key.rotate_left(usize::try_from(offset % 4).unwrap_or_default());
    for four in bytes.chunks_mut(key.len()) {
        for (byte, key) in four.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> impl Strategy<Value = Kind> {
        prop::sample::select(vec![
            Kind::Text,
            Kind::Binary,
            Kind::Continuation,
            Kind::Close,
            Kind::Ping,
            Kind::Pong,
        ])
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            kind in kinds(),
            last: bool,
            key: Option<[u8; 4]>,
            length in prop_oneof![0..130_u64, 65_530..65_540_u64, 0..=u64::MAX >> 1],
        ) {
            let (last, length) = if kind.is_control() { (true, length.min(125)) } else { (last, length) };
            let head = Head { kind, last, mask: key, length };
            let mut bytes = BytesMut::new();
            head.write(&mut bytes);
            let side = if key.is_some() { Side::Client } else { Side::Instance };
            prop_assert!(bytes.len() <= Head::LONGEST);
            for part in 0..bytes.len() {
                prop_assert_eq!(Head::read(&bytes[..part], side), Ok(None));
            }
            prop_assert_eq!(Head::read(&bytes, side), Ok(Some((head, bytes.len()))));
            bytes.extend_from_slice(b"payload");
            prop_assert_eq!(Head::read(&bytes, side), Ok(Some((head, bytes.len() - 7))));
        }

        #[test]
        fn no_bytes_panic_and_a_head_that_is_read_is_written_the_same(bytes: Vec<u8>, client: bool) {
            let side = if client { Side::Client } else { Side::Instance };
            if let Ok(Some((head, size))) = Head::read(&bytes, side) {
                let mut again = BytesMut::new();
                head.write(&mut again);
                prop_assert_eq!(&again[..], &bytes[..size]);
            } else if bytes.len() >= Head::LONGEST {
                prop_assert!(Head::read(&bytes, side).is_err());
            }
        }

        #[test]
        fn a_mask_may_be_applied_in_parts(bytes: Vec<u8>, key: [u8; 4], cut: prop::sample::Index) {
            let mut whole = bytes.clone();
            mask(&mut whole, key, 0);
            let by_byte: Vec<u8> = bytes.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            prop_assert_eq!(&whole, &by_byte);
            let mut parts = bytes.clone();
            let cut = if bytes.is_empty() { 0 } else { cut.index(bytes.len()) };
            mask(&mut parts[..cut], key, 0);
            mask(&mut parts[cut..], key, cut as u64);
            prop_assert_eq!(parts, whole);
        }
    }

    #[test]
    fn what_no_end_may_send() {
        let key = [0; 4];
        let masked = |head: &[u8]| [head, &key].concat();
        for (bytes, side, why) in [
            (vec![0xc1, 0], Side::Instance, Violation::Reserved),
            (vec![0xa1, 0], Side::Instance, Violation::Reserved),
            (vec![0x91, 0], Side::Instance, Violation::Reserved),
            (vec![0x81, 0], Side::Client, Violation::Mask),
            (masked(&[0x81, 0x80]), Side::Instance, Violation::Mask),
            (vec![0x83, 0], Side::Instance, Violation::Opcode),
            (vec![0x8b, 0], Side::Instance, Violation::Opcode),
            (vec![0x89, 126, 0, 126], Side::Instance, Violation::Control),
            (vec![0x09, 0], Side::Instance, Violation::Control),
            (vec![0x81, 126, 0, 125], Side::Instance, Violation::Length),
            (vec![0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Side::Instance, Violation::Length),
            (vec![0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], Side::Instance, Violation::Length),
        ] {
            assert_eq!(Head::read(&bytes, side), Err(why), "{bytes:?}");
        }
    }
}
