//! XML as it is written: element by element, escaped by the crate.

use std::{borrow::Cow, fmt::Display};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

/// Namespace of lists of simple values.
pub const ARRAYS: &str = "http://schemas.microsoft.com/2003/10/Serialization/Arrays";
/// Namespace of `i:nil`.
pub const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A document that grows. Writing into memory cannot fail, so the results of the writer are not looked at.
pub struct Xml {
    writer: Writer<Vec<u8>>,
}

impl Xml {
    /// An empty document.
    pub fn new() -> Self {
        let mut writer = Writer::new(Vec::with_capacity(1024));
        // Clients look for `<Name />` as text (sheet 7.1, exchange 6).
        writer.config_mut().add_space_before_slash_in_empty_elements = true;
        Self { writer }
    }

    /// `<?xml version="1.0" encoding="utf-8"?>`.
    pub fn declaration(&mut self) {
        self.event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    }

    /// An element with attributes, and what `inside` writes.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name).with_attributes(attributes.iter().copied())));
        inside(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element without attributes.
    pub fn open(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.element(name, &[], inside);
    }

    /// An element with attributes and nothing in it.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(BytesStart::new(name).with_attributes(attributes.iter().copied())));
    }

    /// An element with a value.
    pub fn put(&mut self, name: &str, value: impl Display) {
        let text = value.to_string();
        if text.is_empty() {
            self.leaf(name, &[]);
        } else {
            self.open(name, |xml| xml.text(&text));
        }
    }

    /// An element without value; `i` must be bound to [`INSTANCE`].
    pub fn nil(&mut self, name: &str) {
        self.leaf(name, &[("i:nil", "true")]);
    }

    /// A list of ids.
    pub fn guids<'a>(&mut self, name: &str, ids: impl Iterator<Item = &'a str>) {
        self.element(name, &[("xmlns:a", ARRAYS)], |xml| ids.for_each(|id| xml.put("a:guid", id)));
    }

    /// Text. What XML cannot carry at all becomes U+FFFD.
    pub fn text(&mut self, text: &str) {
        let text: Cow<'_, str> = if text.chars().all(allowed) {
            text.into()
        } else {
            text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
        };
        self.event(Event::Text(BytesText::new(&text)));
    }

    /// Another document's elements.
    pub fn append(&mut self, other: Self) {
        self.writer.get_mut().extend(other.into_bytes());
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_inner()
    }

    fn event(&mut self, event: Event<'_>) {
        let _ = self.writer.write_event(event);
    }
}

/// The characters of XML 1.0.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_is_escaped_and_always_well_formed() {
        let mut xml = Xml::new();
        xml.element("a", &[("b", "\"<&")], |xml| {
            xml.put("c", "<&>\u{1}ä");
            xml.put("d", "");
            xml.nil("e");
        });
        let text = String::from_utf8(xml.into_bytes()).unwrap();
        let wanted = "<a b=\"&quot;&lt;&amp;\"><c>&lt;&amp;&gt;\u{fffd}ä</c><d /><e i:nil=\"true\" /></a>";
        assert_eq!(text, wanted);
    }
}
