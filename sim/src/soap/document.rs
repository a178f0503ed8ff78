//! XML as it arrives: a small tree, within limits. No document type, no entities of one's own.

use quick_xml::{
    NsReader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
    name::ResolveResult,
};

/// Largest document in bytes: a list of 10,000 ids fits.
const LARGEST: usize = 1_000_000;
/// Deepest nesting; the default quota of the reader that Windows uses.
const DEEPEST: usize = 32;
/// Most elements: a list of 10,000 ids fits.
const MOST: usize = 20_000;

/// An element. Attributes are not kept: no call of the service has any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Namespace, empty if it is in none.
    pub namespace: String,
    /// Name without prefix.
    pub name: String,
    /// Its own text, without that of its children.
    pub text: String,
    /// Elements in it, in order.
    pub children: Vec<Element>,
}

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// Beyond a limit.
    #[error(
        "the message is larger than {LARGEST} bytes, deeper than {DEEPEST} levels or has more than {MOST} elements"
    )]
    Limit,
    /// Not UTF-8.
    #[error("the message is not UTF-8")]
    Encoding,
    /// A document type declaration.
    #[error("a document type declaration is not allowed in a message")]
    DocumentType,
    /// An entity that XML itself does not know.
    #[error("the message refers to an entity that is not defined")]
    Entity,
    /// A prefix that is bound to nothing.
    #[error("the message uses a namespace prefix that is not declared")]
    Prefix,
    /// Not one well-formed document.
    #[error("the message is not well-formed XML")]
    Malformed,
}

impl Element {
    /// The first child of that name, whatever its namespace.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads one document.
pub fn parse(body: &[u8]) -> Result<Element, XmlError> {
    if body.len() > LARGEST {
        return Err(XmlError::Limit);
    }
    let text = std::str::from_utf8(body).map_err(|_| XmlError::Encoding)?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| XmlError::Malformed)?;
        match event {
            Event::Start(start) => tree.open(namespace, &start)?,
            Event::Empty(start) => {
                tree.open(namespace, &start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) => tree.text(c.encode_utf8(&mut [0; 4]))?,
                Ok(None) => {
                    let text = resolve_predefined_entity(&reference.xml10_content());
                    tree.text(text.ok_or(XmlError::Entity)?)?;
                }
                Err(_) => return Err(XmlError::Malformed),
            },
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => return tree.root.filter(|_| tree.open.is_empty()).ok_or(XmlError::Malformed),
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, namespace: ResolveResult<'_>, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.count += 1;
        if self.count > MOST || self.open.len() >= DEEPEST {
            return Err(XmlError::Limit);
        }
        // The crate's own search for double names takes the square of their number.
        if self.root.is_some() || start.attributes().with_checks(false).any(|attribute| attribute.is_err()) {
            return Err(XmlError::Malformed);
        }
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.0.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err(XmlError::Prefix),
        };
        let name = start.local_name().into_inner().to_owned();
        self.open.push(Element { namespace, name, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::Malformed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::Malformed),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_references_and_sections_are_understood() {
        let text = "\u{feff}<?xml version=\"1.0\"?><!-- c --><x:a xmlns:x='urn:x' xmlns='urn:y'>\
                    <b>&lt;&#65;&#x42;<![CDATA[<&]]></b><c xmlns=''/></x:a>";
        let root = parse(text.as_bytes()).unwrap();
        assert_eq!((root.namespace.as_str(), root.name.as_str()), ("urn:x", "a"));
        let b = root.child("b").unwrap();
        assert_eq!((b.namespace.as_str(), b.text.as_str()), ("urn:y", "<AB<&"));
        assert_eq!(root.child("c").unwrap().namespace, "");
    }

    #[test]
    fn what_is_not_one_small_document_is_refused() {
        let deep = "<a>".repeat(100_000);
        let wide = format!("<a>{}</a>", "<b/>".repeat(50_000));
        let long = format!("<a>{}</a>", "x".repeat(LARGEST));
        let bound: String = (0..5000).map(|n| format!(" xmlns:n{n}='u'")).collect();
        let attributes: String = (0..60_000).map(|n| format!(" a{n}='u'")).collect();
        let cases: [(&str, &[u8]); 14] = [
            ("Malformed", b""),
            ("Malformed", b"<a>"),
            ("Malformed", b"<a></b>"),
            ("Malformed", b"<a/><b/>"),
            ("Malformed", b"<a/>x"),
            ("Malformed", b"<a b=c/>"),
            ("Malformed", b"<a>&#0;</a>"),
            ("Encoding", b"<a>\xff</a>"),
            ("Prefix", b"<x:a/>"),
            ("Entity", b"<a>&b;</a>"),
            ("DocumentType", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
            ("Limit", deep.as_bytes()),
            ("Limit", wide.as_bytes()),
            ("Limit", long.as_bytes()),
        ];
        for (wanted, text) in cases {
            let error = format!("{:?}", parse(text).unwrap_err());
            assert_eq!(error, wanted, "{:?}", String::from_utf8_lossy(&text[..text.len().min(60)]));
        }
        assert!(parse(format!("<a{bound}/>").as_bytes()).is_err(), "too many bindings");
        assert!(parse(format!("<a{attributes}/>").as_bytes()).is_ok(), "and in no time");
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[<>/a&;#x:= '\"!\\[\\]-]{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
