//! `GetServices` (sheet 1.3): the registered services.

use serde_json::Value;

use crate::{
    rest::{show::value, table},
    rights,
    soap::{
        Call, Fault,
        endpoints::OLD_REGISTRATION,
        xml::{ARRAYS, Xml},
    },
};

/// Lists what the caller sees. The newer service has its structures in the namespace of the older one.
pub fn list(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let Some(kind) = table::find("registeredServices") else { return Ok(()) };
    let newer = !call.endpoint.is_asmx();
    let name = |local: &str| if newer { format!("a:{local}") } else { local.to_owned() };
    let binding: &[(&str, &str)] = if newer { &[("xmlns:a", OLD_REGISTRATION)] } else { &[] };
    let world = call.desk.world();
    for service in world.store.all(kind.name()) {
        if !rights::sees(&world, call.caller.role, service) {
            continue;
        }
        let field = |field: &str| match value(kind, service, field) {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        xml.element(&name("ServiceInfo"), binding, |xml| {
            xml.put(&name("type"), field("serviceType"));
            xml.put(&name("instance"), &service.id);
            xml.element(&name("uri"), &[("xmlns:b", ARRAYS)], |xml| {
                for uri in value(kind, service, "uris").as_array().into_iter().flatten() {
                    xml.put("b:string", uri.as_str().unwrap_or_default());
                }
            });
            xml.put(&name("name"), field("name"));
            xml.put(&name("description"), field("description"));
            // Whoever is registered here was registered by the site itself.
            xml.put(&name("trusted"), true);
            xml.put(&name("enabled"), field("enabled"));
            xml.open(&name("endpoints"), |xml| {
                for endpoint in value(kind, service, "endpoints").as_array().into_iter().flatten() {
                    let part = |part: &str| endpoint[part].as_str().unwrap_or_default();
                    xml.open(&name("ServiceEndpoint"), |xml| {
                        for member in ["authentication", "description", "name", "uri"] {
                            xml.put(&name(member), part(member));
                        }
                    });
                }
            });
            xml.put(&name("endpointdefinition"), field("customData"));
        });
    }
    Ok(())
}
