//! The envelope around a call and around its answer.

use ::http::{Response, StatusCode};
use bytes::Bytes;

use super::{
    document::{self, Element},
    fault::Fault,
    xml::Xml,
};
use crate::http::xml;

/// Version of SOAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.1, spoken everywhere.
    V11,
    /// 1.2, spoken by ASMX only.
    V12,
}

/// A call as it arrived.
#[derive(Debug)]
pub struct Message {
    /// Version of the envelope.
    pub version: Version,
    /// The element in the body: the operation with its arguments.
    pub call: Element,
}

impl Version {
    fn of_namespace(namespace: &str) -> Option<Self> {
        [Self::V11, Self::V12].into_iter().find(|version| version.namespace() == namespace)
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::V11 => "s",
            Self::V12 => "soap",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml; charset=utf-8",
            Self::V12 => "application/soap+xml; charset=utf-8",
        }
    }
}

/// Takes a message apart. Headers are ignored.
pub fn read(body: &[u8]) -> Result<Message, Fault> {
    let mut envelope = document::parse(body)?;
    if envelope.name != "Envelope" {
        return Err(Fault::Envelope);
    }
    let version = Version::of_namespace(&envelope.namespace).ok_or(Fault::Version)?;
    let is_body = |child: &&mut Element| child.name == "Body" && child.namespace == version.namespace();
    let body = envelope.children.iter_mut().find(is_body).ok_or(Fault::Envelope)?;
    match (body.children.pop(), body.children.is_empty()) {
        (Some(call), true) => Ok(Message { version, call }),
        _ => Err(Fault::Envelope),
    }
}

/// An answer, with what `inside` writes in its body.
pub fn answer(version: Version, inside: impl FnOnce(&mut Xml)) -> Response<Bytes> {
    wrap(version, StatusCode::OK, inside)
}

/// A fault.
pub fn fault(version: Version, fault: &Fault) -> Response<Bytes> {
    wrap(version, StatusCode::INTERNAL_SERVER_ERROR, |xml| match version {
        Version::V11 => fault.write(xml),
        Version::V12 => fault.write_12(xml),
    })
}

fn wrap(version: Version, status: StatusCode, inside: impl FnOnce(&mut Xml)) -> Response<Bytes> {
    let prefix = version.prefix();
    let mut document = Xml::new();
    let binding = format!("xmlns:{prefix}");
    document.element(&format!("{prefix}:Envelope"), &[(&binding, version.namespace())], |xml| {
        xml.open(&format!("{prefix}:Body"), inside);
    });
    xml(status, version.content_type(), document.into_bytes())
}
