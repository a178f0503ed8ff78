//! One direction of a WebSocket: a pure machine, bytes in and bytes out, for any chunking.

use bytes::{Buf, Bytes, BytesMut};

use super::head::{Head, Kind, mask};
use super::text::Text;
use super::{Ids, Inspect, Side, Stop, Verdict, Violation};
use crate::idmap::translate::Translator;

/// Bytes of a message that may carry a token; longer ones are not read.
pub const LONGEST_READ: usize = 1024 * 1024;

/// One direction. Memory: a head, what a translator holds back, and at most [`LONGEST_READ`] bytes
/// of a message that is read.
pub struct Flow {
    from: Side,
    ids: Option<Ids>,
    inspect: Option<Box<dyn Inspect>>,
    /// The begin of a head whose end has not come.
    unread: BytesMut,
    message: Message,
    frame: Option<Frame>,
    closed: bool,
}

/// The message that has begun and not ended.
enum Message {
    None,
    /// Not looked at.
    Passed,
    Translated(Text),
    /// Read completely before it passes; `mask` is that of its first frame.
    Read {
        text: Vec<u8>,
        mask: Option<[u8; 4]>,
    },
}

/// A frame whose payload is coming.
struct Frame {
    head: Head,
    /// Bytes that have come.
    taken: u64,
}

impl Flow {
    /// What comes `from` one side. Texts are translated, if there are `ids`, and judged by `inspect`,
    /// if there is one.
    pub fn new(from: Side, ids: Option<Ids>, inspect: Option<Box<dyn Inspect>>) -> Self {
        let (unread, message) = (BytesMut::new(), Message::None);
        Self { from, ids, inspect, unread, message, frame: None, closed: false }
    }

    /// Whether a frame of ours may follow what has been written.
    pub const fn is_between_frames(&self) -> bool {
        self.frame.is_none()
    }

    /// Whether a message of ours may follow what has been written.
    pub const fn is_between_messages(&self) -> bool {
        self.frame.is_none() && matches!(self.message, Message::None | Message::Read { .. })
    }

    /// Whether the side has said that it says nothing more.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes the next bytes and appends to `out` what goes on to the other side.
    ///
    /// # Errors
    /// When the socket has to end. What is in `out` is still good; the flow takes no more.
    pub fn push(&mut self, mut input: Bytes, out: &mut BytesMut) -> Result<(), Stop> {
        // After a Close nothing has a meaning (RFC 6455 5.5.1).
        while !self.closed && !input.is_empty() {
            let frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.head(&mut input)? {
                    Some(head) => self.begin(head, out)?,
                    None => return Ok(()),
                },
            };
            self.payload(frame, &mut input, out)?;
        }
        Ok(())
    }

    /// Takes a head from the input, or what there is of it.
    fn head(&mut self, input: &mut Bytes) -> Result<Option<Head>, Violation> {
        let before = self.unread.len();
        if before == 0
            && let Some((head, size)) = Head::read(input, self.from)?
        {
            input.advance(size);
            return Ok(Some(head));
        }
        let more = input.len().min(Head::LONGEST - before);
        self.unread.extend_from_slice(&input[..more]);
        let found = Head::read(&self.unread, self.from)?;
        // What follows the head is still in the input.
        input.advance(found.map_or(more, |(_, size)| size - before));
        Ok(found.map(|(head, _)| {
            self.unread.clear();
            head
        }))
    }

    fn begin(&mut self, head: Head, out: &mut BytesMut) -> Result<Frame, Stop> {
        let frame = Frame { head, taken: 0 };
        if head.kind.is_control() {
            head.write(out);
            return Ok(frame);
        }
        if (head.kind == Kind::Continuation) == matches!(self.message, Message::None) {
            return Err(Violation::Order.into());
        }
        match head.kind {
            Kind::Text if self.inspect.is_some() => {
                self.message = Message::Read { text: Vec::new(), mask: head.mask };
            }
            Kind::Text => self.message = self.unread_text(),
            Kind::Binary => self.message = Message::Passed,
            _ => {}
        }
        if let Message::Read { text, mask } = &mut self.message {
            if text.len() as u64 + head.length <= LONGEST_READ as u64 {
                return Ok(frame);
            }
            if !self.inspect.as_ref().is_some_and(|inspect| inspect.passes_unread()) {
                return Err(Stop::TooLong);
            }
            let (text, mask) = (std::mem::take(text), *mask);
            self.message = self.unread_text();
            let kind = if text.is_empty() { Kind::Text } else { Kind::Continuation };
            if !text.is_empty() {
                self.write_text(text, mask, false, out)?;
            }
            self.message.write_head(&Head { kind, ..head }, out);
        } else {
            self.message.write_head(&head, out);
        }
        Ok(frame)
    }

    /// A text that is not read.
    fn unread_text(&self) -> Message {
        let view = self.ids.as_ref().and_then(|ids| ids());
        view.map_or(Message::Passed, |view| Message::Translated(Text::new(Translator::new(view))))
    }

    /// Takes what has come of the frame's payload, and ends the frame if that was all.
    fn payload(&mut self, mut frame: Frame, input: &mut Bytes, out: &mut BytesMut) -> Result<(), Stop> {
        let Head { kind, last, mask: key, length } = frame.head;
        let left = usize::try_from(length - frame.taken).unwrap_or(usize::MAX);
        let part = input.split_to(left.min(input.len()));
        let offset = frame.taken;
        frame.taken += part.len() as u64;
        let ends = frame.taken == length;
        let plain = |part: Bytes| match key {
            Some(key) => {
                let mut part = BytesMut::from(part);
                mask(&mut part, key, offset);
                part.freeze()
            }
            None => part,
        };
        match &mut self.message {
            _ if kind.is_control() => out.extend_from_slice(&part),
            Message::None | Message::Passed => out.extend_from_slice(&part),
            Message::Translated(text) => {
                text.push(plain(part), out);
                if ends && let Err(violation) = text.end_frame(last, out) {
                    self.frame = Some(frame);
                    return Err(violation.into());
                }
            }
            Message::Read { text, .. } => text.extend_from_slice(&plain(part)),
        }
        if !ends {
            self.frame = Some(frame);
        } else if kind == Kind::Close {
            self.closed = true;
        } else if last && !kind.is_control() {
            self.end_message(out)?;
        }
        Ok(())
    }

    fn end_message(&mut self, out: &mut BytesMut) -> Result<(), Stop> {
        let message = std::mem::replace(&mut self.message, Message::None);
        let (Message::Read { text, mask }, Some(inspect)) = (message, &mut self.inspect) else {
            return Ok(());
        };
        let text = match inspect.inspect(&text) {
            Verdict::Pass => text,
            Verdict::Replace(new) => new,
            Verdict::Stop(stop) => return Err(stop),
        };
        self.message = self.unread_text();
        self.write_text(text, mask, true, out)?;
        self.message = Message::None;
        Ok(())
    }

    /// Writes a text that was read as one frame; the first one of its message.
    fn write_text(
        &mut self,
        text: Vec<u8>,
        key: Option<[u8; 4]>,
        last: bool,
        out: &mut BytesMut,
    ) -> Result<(), Stop> {
        let head = Head { kind: Kind::Text, last, mask: key, length: text.len() as u64 };
        self.message.write_head(&head, out);
        if let Message::Translated(writing) = &mut self.message {
            writing.push(text.into(), out);
            return Ok(writing.end_frame(last, out)?);
        }
        let begin = out.len();
        out.extend_from_slice(&text);
        if let Some(key) = key {
            mask(&mut out[begin..], key, 0);
        }
        Ok(())
    }
}

impl Message {
    /// Writes the head of the frame that leaves in the place of `head`.
    fn write_head(&mut self, head: &Head, out: &mut BytesMut) {
        match self {
            Self::Translated(text) => text.begin_frame(head, out),
            _ => head.write(out),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
