//! Faults (sheet 2.8): always HTTP 500.

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
        });
    }
}

/// The error number of missing rights.
const DENIED_CODE: &str = "s:51000";
