//! A text message on its way through a translator, frame by frame.
//!
//! The head of a frame has to be written before its payload is there, so its length has to follow
//! from lengths alone: a frame that is not the last one of its message leaves as if the translator
//! held back as much as it may, and the rest travels with the next frame. A message of one frame,
//! which is what all known ends send, leaves as one frame of the same length.

use bytes::{Bytes, BytesMut};

use super::Violation;
use super::head::{Head, mask};
use crate::idmap::guid::Guid;
use crate::idmap::translate::Translator;

pub(super) struct Text {
    translator: Translator,
    frame: Frame,
    /// Bytes that came with earlier frames, but leave with the next one.
    owed: u64,
}

/// The frame that is leaving.
#[derive(Default)]
struct Frame {
    mask: Option<[u8; 4]>,
    /// Bytes of payload that it has.
    written: u64,
    /// Bytes that it still has to get.
    missing: u64,
    /// Translated, and more than it takes.
    spare: BytesMut,
}

impl Text {
    pub(super) fn new(translator: Translator) -> Self {
        Self { translator, frame: Frame::default(), owed: 0 }
    }

    /// Writes the head of the frame that leaves in the place of `head`.
    pub(super) fn begin_frame(&mut self, head: &Head, out: &mut BytesMut) {
        let all = self.owed.saturating_add(head.length);
        let length = if head.last { all } else { all.saturating_sub(HELD as u64) };
        self.owed = all - length;
        Head { length, ..*head }.write(out);
        let earlier = std::mem::take(&mut self.frame.spare);
        self.frame = Frame { mask: head.mask, missing: length, ..Frame::default() };
        self.frame.write(&earlier, out);
    }

    /// Writes what can be written of the next part of the payload.
    pub(super) fn push(&mut self, part: Bytes, out: &mut BytesMut) {
        let Self { translator, frame, .. } = self;
        translator.push(part, &mut |bytes| frame.write(&bytes, out));
    }

    /// The payload of the present frame has come completely.
    pub(super) fn end_frame(&mut self, last: bool, out: &mut BytesMut) -> Result<(), Violation> {
        let Self { translator, frame, .. } = self;
        if last {
            translator.finish(&mut |bytes| frame.write(&bytes, out));
        }
        // Whoever does not keep the length would make nonsense of the rest of the stream.
        if frame.missing > 0 || last && !frame.spare.is_empty() { Err(Violation::Length) } else { Ok(()) }
    }
}

impl Frame {
    fn write(&mut self, bytes: &[u8], out: &mut BytesMut) {
        let room = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(bytes.len().min(room));
        let begin = out.len();
        out.extend_from_slice(now);
        if let Some(key) = self.mask {
            mask(&mut out[begin..], key, self.written);
        }
        self.missing -= now.len() as u64;
        self.written += now.len() as u64;
        self.spare.extend_from_slice(later);
    }
}

/// Bytes that a translator may hold back.
const HELD: usize = Guid::LEN - 1;
