//! The operations: one table a service.
//!
//! An operation is chosen by the element in the body; the SOAPAction header is not looked at, since clients send
//! wrong ones (sheet 7.1, exchange 6).

mod changes;
mod configuration;
mod product;
mod services;
mod session;

use uuid::Uuid;

pub use session::shorter;

use super::{
    Call, Element, Fault,
    endpoints::Scheme,
    xml::{INSTANCE, Xml},
};

/// One operation.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Names and XML Schema types of its arguments.
    pub arguments: &'static [(&'static str, &'static str)],
    /// XML Schema type of its result, `anyType` for a structure; none if it has no result.
    pub result: Option<&'static str>,
    /// Whether its argument `token` must be good.
    pub token: bool,
    /// Writes what is in the result element.
    run: Run,
}

type Run = fn(&Call<'_>, &mut Xml) -> Result<(), Fault>;

/// What the operation wrote, if it has a result.
pub struct Written {
    method: &'static Method,
    inside: Xml,
}

const TOKEN: (&str, &str) = ("token", "string");
/// A list of ids.
const GUIDS: &str = "ArrayOfguid";

/// `ServerCommandService`: the calls that read, and those of the session.
pub static COMMANDS: &[Method] = &[
    Method { name: "GetVersion", arguments: &[], result: Some("int"), token: false, run: product::version },
    Method {
        name: "GetServerVersion",
        arguments: &[],
        result: Some("string"),
        token: false,
        run: product::server_version,
    },
    Method {
        name: "GetProductInfo",
        arguments: &[],
        result: Some("anyType"),
        token: false,
        run: product::product,
    },
    Method { name: "IsOnline", arguments: &[], result: Some("boolean"), token: false, run: product::online },
    Method {
        name: "Login",
        arguments: &[("instanceId", "guid"), ("currentToken", "string")],
        result: Some("anyType"),
        token: false,
        run: session::login,
    },
    Method {
        name: "Logout",
        arguments: &[("instanceId", "guid"), ("currentToken", "string")],
        result: None,
        token: false,
        run: session::logout,
    },
    Method {
        name: "RegisterIntegration",
        arguments: &[
            TOKEN,
            ("instanceId", "guid"),
            ("integrationId", "guid"),
            ("integrationVersion", "string"),
            ("integrationName", "string"),
            ("manufacturerName", "string"),
        ],
        result: None,
        token: true,
        run: session::register_integration,
    },
    Method {
        name: "GetUserInfo",
        arguments: &[TOKEN],
        result: Some("anyType"),
        token: true,
        run: session::user,
    },
    Method {
        name: "GetConfiguration",
        arguments: &[TOKEN],
        result: Some("anyType"),
        token: true,
        run: configuration::everything,
    },
    Method {
        name: "GetConfigurationRecorders",
        arguments: &[TOKEN, ("recorderIds", GUIDS)],
        result: Some("anyType"),
        token: true,
        run: configuration::recorders,
    },
    Method {
        name: "GetConfigurationHardware",
        arguments: &[TOKEN, ("hardwareIds", GUIDS)],
        result: Some("anyType"),
        token: true,
        run: configuration::hardware,
    },
    Method {
        name: "QueryRecorderInfo",
        arguments: &[TOKEN, ("recorderId", "guid")],
        result: Some("anyType"),
        token: true,
        run: configuration::recorder,
    },
    Method {
        name: "GetDevicesDisabled",
        arguments: &[TOKEN],
        result: Some("anyType"),
        token: true,
        run: configuration::disabled,
    },
    Method {
        name: "QueryChanges",
        arguments: &[TOKEN, ("changesFrom", "dateTime")],
        result: Some("anyType"),
        token: true,
        run: changes::query,
    },
];

/// `ServiceRegistrationService`.
pub static REGISTRATION: &[Method] = &[Method {
    name: "GetServices",
    arguments: &[],
    result: Some("anyType"),
    token: false,
    run: services::list,
}];

/// Runs the operation that the call names.
pub fn run(call: &Call<'_>) -> Result<Written, Fault> {
    let Element { namespace, name, .. } = call.arguments;
    let methods = call.endpoint.methods.iter();
    let method = methods
        .filter(|_| namespace == call.endpoint.namespace)
        .find(|method| method.name == name)
        .ok_or_else(|| Fault::Operation { name: name.clone(), namespace: namespace.clone() })?;
    if method.token && !call.token_is_good() {
        return Err(Fault::Denied);
    }
    let mut inside = Xml::new();
    (method.run)(call, &mut inside)?;
    Ok(Written { method, inside })
}

/// Writes the response element around a result.
pub fn wrap(call: &Call<'_>, written: Written, xml: &mut Xml) {
    let Written { method, inside } = written;
    let attributes = [("xmlns", call.endpoint.namespace)];
    let response = format!("{}Response", method.name);
    if method.result.is_none() {
        return xml.leaf(&response, &attributes);
    }
    xml.element(&response, &attributes, |xml| {
        xml.element(&format!("{}Result", method.name), &[("xmlns:i", INSTANCE)], |xml| xml.append(inside));
    });
}

impl Call<'_> {
    /// Whether the argument `token` is alive and the caller's own. A JWT has said who calls, so there it may be
    /// empty (sheet 2.8, RegisterIntegration).
    fn token_is_good(&self) -> bool {
        let token = self.text("token");
        token.is_empty() && self.endpoint.scheme == Scheme::Bearer
            || self.desk.tokens.valid(token, &self.caller.sid, self.desk.instance.now)
    }

    /// The text of an argument, empty if it is missing.
    fn text(&self, name: &str) -> &str {
        self.arguments.child(name).map_or("", |argument| argument.text.trim())
    }

    /// An argument that is an id.
    fn guid(&self, name: &'static str) -> Result<Uuid, Fault> {
        Uuid::try_parse(self.text(name)).map_err(|_| Fault::Argument(name))
    }

    /// An argument that is a list of ids, as the world writes them.
    fn guids(&self, name: &'static str) -> Result<Vec<String>, Fault> {
        let list = self.arguments.child(name).ok_or(Fault::Argument(name))?;
        list.children
            .iter()
            .map(|item| Uuid::try_parse(item.text.trim()).map(|id| id.to_string()))
            .collect::<Result<_, _>>()
            .map_err(|_| Fault::Argument(name))
    }
}
