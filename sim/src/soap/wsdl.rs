//! What a service says about itself: the help page, and the WSDL with the address that this instance is known by
//! (sheet 1.4).

use ::http::{Response, StatusCode};
use bytes::Bytes;

use super::{endpoints::Endpoint, methods::Method, xml::Xml};
use crate::http::{html, xml};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const TRANSPORT: &str = "http://schemas.xmlsoap.org/soap/http";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// Answers a GET: the description for `?wsdl` and `?singleWsdl`, the help page for anything else.
pub fn page(endpoint: &Endpoint, public_url: &str, query: &str) -> Response<Bytes> {
    let address = format!("{public_url}{}", endpoint.path);
    if query.eq_ignore_ascii_case("wsdl") || query.eq_ignore_ascii_case("singleWsdl") {
        return xml(StatusCode::OK, "text/xml; charset=utf-8", describe(endpoint, &address));
    }
    html(StatusCode::OK, &format!("{} Service", endpoint.service), &format!("{address}?wsdl"))
}

fn describe(endpoint: &Endpoint, address: &str) -> Vec<u8> {
    let attributes = [
        ("name", endpoint.service),
        ("targetNamespace", endpoint.namespace),
        ("xmlns:wsdl", WSDL),
        ("xmlns:soap", SOAP),
        ("xmlns:xs", SCHEMA),
        ("xmlns:tns", endpoint.namespace),
    ];
    let mut document = Xml::new();
    document.declaration();
    document.element("wsdl:definitions", &attributes, |xml| {
        types(endpoint, xml);
        for method in endpoint.methods {
            message(&format!("{}In", method.name), method.name, xml);
            message(&format!("{}Out", method.name), &format!("{}Response", method.name), xml);
        }
        port(endpoint, xml);
        binding(endpoint, xml);
        xml.element("wsdl:service", &[("name", endpoint.service)], |xml| {
            xml.element("wsdl:port", &[("name", "Soap"), ("binding", "tns:Soap")], |xml| {
                xml.leaf("soap:address", &[("location", address)]);
            });
        });
    });
    document.into_bytes()
}

fn types(endpoint: &Endpoint, xml: &mut Xml) {
    let schema = [("elementFormDefault", "qualified"), ("targetNamespace", endpoint.namespace)];
    xml.open("wsdl:types", |xml| {
        xml.element("xs:schema", &schema, |xml| {
            xml.element("xs:simpleType", &[("name", "guid")], |xml| {
                xml.leaf("xs:restriction", &[("base", "xs:string")]);
            });
            xml.element("xs:complexType", &[("name", "ArrayOfguid")], |xml| {
                xml.open("xs:sequence", |xml| {
                    let many = [("name", "guid"), ("type", "tns:guid"), ("maxOccurs", "unbounded")];
                    xml.leaf("xs:element", &many);
                });
            });
            for method in endpoint.methods {
                element(method.name, method.arguments.iter().copied(), xml);
                let result = format!("{}Result", method.name);
                let result = method.result.map(|of| (result.as_str(), of));
                element(&format!("{}Response", method.name), result.into_iter(), xml);
            }
        });
    });
}

/// The element of a request or a response, with its members.
fn element<'a>(name: &str, members: impl Iterator<Item = (&'a str, &'a str)>, xml: &mut Xml) {
    xml.element("xs:element", &[("name", name)], |xml| {
        xml.open("xs:complexType", |xml| {
            xml.open("xs:sequence", |xml| {
                for (name, of) in members {
                    let own = matches!(of, "guid" | "ArrayOfguid");
                    let of = format!("{}:{of}", if own { "tns" } else { "xs" });
                    xml.leaf("xs:element", &[("minOccurs", "0"), ("name", name), ("type", &of)]);
                }
            });
        });
    });
}

fn message(name: &str, element: &str, xml: &mut Xml) {
    xml.element("wsdl:message", &[("name", name)], |xml| {
        xml.leaf("wsdl:part", &[("name", "parameters"), ("element", &format!("tns:{element}"))]);
    });
}

fn port(endpoint: &Endpoint, xml: &mut Xml) {
    xml.element("wsdl:portType", &[("name", endpoint.service)], |xml| {
        for Method { name, .. } in endpoint.methods {
            xml.element("wsdl:operation", &[("name", name)], |xml| {
                xml.leaf("wsdl:input", &[("message", &format!("tns:{name}In"))]);
                xml.leaf("wsdl:output", &[("message", &format!("tns:{name}Out"))]);
            });
        }
    });
}

fn binding(endpoint: &Endpoint, xml: &mut Xml) {
    let port = format!("tns:{}", endpoint.service);
    xml.element("wsdl:binding", &[("name", "Soap"), ("type", &port)], |xml| {
        xml.leaf("soap:binding", &[("transport", TRANSPORT)]);
        for Method { name, .. } in endpoint.methods {
            let action = format!("{}{}/{name}", endpoint.namespace, endpoint.contract);
            xml.element("wsdl:operation", &[("name", name)], |xml| {
                xml.leaf("soap:operation", &[("soapAction", &action), ("style", "document")]);
                for direction in ["wsdl:input", "wsdl:output"] {
                    xml.open(direction, |xml| xml.leaf("soap:body", &[("use", "literal")]));
                }
            });
        }
    });
}
