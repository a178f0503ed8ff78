//! Faults (sheet 2.8): always HTTP 500. Those of a recording server have numbers of their own.

use super::{document::XmlError, xml::Xml};

/// Namespace of the fault codes that the framework makes.
const DISPATCHER: &str = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher";

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not XML, or XML that is refused.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// XML, but not an envelope with a body.
    #[error("the message is not a SOAP envelope with one element in its body")]
    Envelope,
    /// An envelope of a version that this address does not speak.
    #[error("the envelope is of a SOAP version that this address does not speak")]
    Version,
    /// A call that the service does not have.
    #[error("the service has no operation `{name}` in namespace `{namespace}`")]
    Operation {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// An argument that is missing or cannot be read.
    #[error("the argument `{0}` is missing or cannot be read")]
    Argument(&'static str),
    /// No token, a token of somebody else, an expired one, or an object that the caller may not see.
    #[error("VMO61008: You do not have sufficient permissions to complete the operation.")]
    Denied,
    /// A recording server is called without a token.
    #[error("Token missing")]
    TokenMissing,
    /// A recording server is called with something that is no SOAP token, or with an expired one.
    #[error("Token invalid")]
    TokenInvalid,
    /// A call that a recording server does not have.
    #[error("Unknown method `{0}`")]
    Method(String),
}

impl Fault {
    /// The qualified fault code of SOAP 1.1.
    fn code(&self) -> &'static str {
        match self {
            Self::Xml(_) | Self::Envelope => "s:Client",
            Self::Version => "s:VersionMismatch",
            Self::Operation { .. } => "a:ActionNotSupported",
            Self::Argument(_) => "a:DeserializationFailed",
            Self::Denied => DENIED_CODE,
            Self::TokenMissing | Self::TokenInvalid | Self::Method(_) => "s:Server",
        }
    }

    /// Error number and number below it of a recording server's faults.
    fn numbers(&self) -> Option<(u32, u32)> {
        match self {
            Self::TokenMissing => Some((20001, 1)),
            Self::TokenInvalid => Some((20001, 2)),
            Self::Method(_) => Some((40000, 0)),
            _ => None,
        }
    }

    /// The `Fault` element of SOAP 1.1.
    pub fn write(&self, xml: &mut Xml) {
        xml.open("s:Fault", |xml| {
            let code = self.code();
            // Only where the prefix is used: one client takes the element apart otherwise (sheet 7.1, exchange 6).
            let binding: &[(&str, &str)] =
                if code.starts_with("a:") { &[("xmlns:a", DISPATCHER)] } else { &[] };
            xml.element("faultcode", binding, |xml| xml.text(code));
            xml.element("faultstring", &[("xml:lang", "en-US")], |xml| xml.text(&self.to_string()));
            if let Some((number, below)) = self.numbers() {
                xml.open("detail", |xml| {
                    xml.put("ErrorNumber", number);
                    xml.put("SubErrorNumber", below);
                });
            }
        });
    }

    /// The `Fault` element of SOAP 1.2 as the ASMX services write it: the number is in a detail of their own.
    pub fn write_12(&self, xml: &mut Xml) {
        let text = self.to_string();
        xml.open("soap:Fault", |xml| {
            xml.open("soap:Code", |xml| xml.put("soap:Value", "soap:Sender"));
            xml.open("soap:Reason", |xml| {
                xml.element("soap:Text", &[("xml:lang", "en")], |xml| xml.text(&text));
            });
            if matches!(self, Self::Denied) {
                let number = DENIED_CODE.trim_start_matches("s:");
                let attributes = [("ErrorNumber", number), ("ExceptionMessage", text.as_str())];
                xml.element("detail", &attributes, |xml| xml.put("ErrorNumber", number));
            }
            if let Some((number, below)) = self.numbers() {
                let (number, below) = (number.to_string(), below.to_string());
                let attributes =
                    [("ErrorNumber", &*number), ("SubErrorNumber", &*below), ("ExceptionMessage", &*text)];
                xml.element("detail", &attributes, |xml| xml.put("ErrorNumber", &number));
            }
        });
    }
}

/// The error number of missing rights.
const DENIED_CODE: &str = "s:51000";
