//! Replaces the ids of one instance by those of another in a text that streams by.
//!
//! Every GUID has 36 bytes, so the length of the text stays. Anything but 8-4-4-4-12 is opaque:
//! 32 digits, base64, JWTs, the tokens of SOAP.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::guid::{Case, Guid};
use super::map::View;
use super::scan::{self, CONTEXT};

/// Translates one text, in parts as they come. The result does not depend on where they are cut.
#[derive(Debug)]
pub struct Translator {
    view: Arc<View>,
    /// The last bytes before `held`.
    before: Tail,
    /// What may be the beginning of a GUID; one byte less than one at most.
    held: Vec<u8>,
    without_partner: u64,
}

impl Translator {
    /// Translates to the ids of `view`.
    pub fn new(view: Arc<View>) -> Self {
        Self { view, before: Tail::default(), held: Vec::new(), without_partner: 0 }
    }

    /// Takes the next part and gives what is ready, in order. A part without a GUID to replace is
    /// given as it is; of its end at most 35 bytes are held back until more is known.
    pub fn push(&mut self, mut part: Bytes, out: &mut impl FnMut(Bytes)) {
        if !self.held.is_empty() {
            let fitting = scan::continues(self.held.len(), &part);
            if self.held.len() + fitting < Guid::LEN && fitting == part.len() {
                self.held.extend_from_slice(&part);
                return;
            }
            let mut text = std::mem::take(&mut self.held);
            if text.len() + fitting == Guid::LEN {
                text.extend_from_slice(&part[..fitting]);
                part.advance(fitting);
                if let Some(new) = exchange(&self.view, &text, &mut self.without_partner) {
                    text = new.to_vec();
                }
            }
            self.before.extend(&text);
            out(text.into());
        }
        let changed = replace(&self.view, &self.before, &part, &mut self.without_partner);
        let ready = part.len() - self.open_end(&part);
        self.held.extend_from_slice(&part[ready..]);
        self.before.extend(&part[..ready]);
        if ready > 0 {
            out(match changed {
                Some(text) => Bytes::from(text).slice(..ready),
                None => part.slice(..ready),
            });
        }
    }

    /// The text has ended: gives what was held back.
    pub fn finish(&mut self, out: &mut impl FnMut(Bytes)) {
        if !self.held.is_empty() {
            out(std::mem::take(&mut self.held).into());
        }
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// How many bytes at the end of `part` may be the beginning of a GUID.
    fn open_end(&self, part: &[u8]) -> usize {
        let begins = |at: &usize| {
            scan::continues(0, &part[*at..]) == part.len() - at && self.before.may_begin(part, *at)
        };
        (scan::run_at_end(part)..part.len()).find(begins).map_or(0, |at| part.len() - at)
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        self.view.count_without_partner(self.without_partner);
    }
}

/// Translates a whole text, such as a path or a header; `None`: there is nothing to replace.
pub fn translate_str(view: &View, text: &str) -> Option<String> {
    let new = replace_all(view, text.as_bytes());
    // Only ASCII was replaced by ASCII, so it is still UTF-8.
    String::from_utf8(new?).ok()
}

/// Translates a whole text. One without a GUID to replace is given back as it is.
pub fn translate(view: &View, text: Bytes) -> Bytes {
    replace_all(view, &text).map_or(text, Bytes::from)
}

fn replace_all(view: &View, text: &[u8]) -> Option<Vec<u8>> {
    let mut without_partner = 0;
    let new = replace(view, &Tail::default(), text, &mut without_partner);
    view.count_without_partner(without_partner);
    new
}

/// A copy of `text`, which came after `before`, with every GUID replaced that has a partner; `None`
/// if there is none.
fn replace(view: &View, before: &Tail, text: &[u8], without_partner: &mut u64) -> Option<Vec<u8>> {
    let (mut copy, mut from) = (None, 0);
    while let Some(at) = scan::find(text, from) {
        // Whatever the verdict: a GUID that began within this one would follow a digit or a dash.
        from = at + Guid::LEN;
        if before.may_begin(text, at)
            && let Some(new) = exchange(view, &text[at..from], without_partner)
        {
            copy.get_or_insert_with(|| text.to_vec())[at..from].copy_from_slice(&new);
        }
    }
    copy
}

/// The text of the partner's GUID, if there is one and it is another.
fn exchange(view: &View, text: &[u8], without_partner: &mut u64) -> Option<[u8; Guid::LEN]> {
    let guid = Guid::parse(text)?;
    let Some(partner) = view.find(guid) else {
        *without_partner += 1;
        return None;
    };
    (partner != guid).then(|| partner.text(Case::of(text)))
}

/// The last bytes of what has passed.
#[derive(Clone, Copy, Debug, Default)]
struct Tail {
    bytes: [u8; CONTEXT],
    len: usize,
}

impl Tail {
    fn extend(&mut self, more: &[u8]) {
        let more = &more[more.len().saturating_sub(CONTEXT)..];
        let kept = self.len.min(CONTEXT - more.len());
        self.bytes.copy_within(self.len - kept..self.len, 0);
        self.bytes[kept..kept + more.len()].copy_from_slice(more);
        self.len = kept + more.len();
    }

    /// Whether a GUID may begin at this place of the `part` that follows.
    fn may_begin(&self, part: &[u8], at: usize) -> bool {
        if at >= CONTEXT {
            return scan::may_begin(&part[at - CONTEXT..at]);
        }
        let mut tail = *self;
        tail.extend(&part[..at]);
        scan::may_begin(&tail.bytes[..tail.len])
    }
}

#[cfg(test)]
mod tests;
