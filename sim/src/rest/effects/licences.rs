//! Tasks on licences. Whatever is asked for is granted: the simulator has no shop behind it.

use serde_json::Map;

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World},
};

const GONE: &str = "The license is gone.";
/// Length of a software licence code.
const CODE: usize = 64;

/// `ActivateLicense{activationAutomatic, userName, password}`.
pub fn activate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let automatic = task.parameters.get("activationAutomatic").cloned().unwrap_or_default();
    licence(world, task)?.set("activationAutomatic", automatic);
    let details: Vec<String> = world.store.all("licenseDetails").map(|detail| detail.id.clone()).collect();
    for id in details {
        if let Some(detail) = world.store.get_mut("licenseDetails", &id) {
            detail.set("changesWithoutActivation", "0 out of 10");
            detail.set("inGrace", 0);
        }
    }
    Ok(Effected::default())
}

/// `StopAutomaticLicenseActivation`.
pub fn stop_automatic(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    licence(world, task)?.set("activationAutomatic", false);
    Ok(Effected::default())
}

/// `RequestLicense`: what would be sent to the vendor.
pub fn request(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let code = licence(world, task)?.text("slc").to_owned();
    let request = format!("<LicenseRequest slc=\"{code}\" time=\"{}\" />", task.now.wire());
    Ok(Effected {
        result: Map::from_iter([("licenseRequest".to_owned(), request.into())]),
        ..Effected::default()
    })
}

/// `ChangeLicense{license}`: another licence code.
pub fn change(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let code = given(task)?.chars().take(CODE).collect::<String>();
    licence(world, task)?.set("slc", code.clone());
    let products: Vec<String> = world.store.all("licenseInstalledProducts").map(|p| p.id.clone()).collect();
    for id in products {
        if let Some(product) = world.store.get_mut("licenseInstalledProducts", &id) {
            product.set("slc", code.clone());
        }
    }
    Ok(Effected::default())
}

/// `UpdateLicense{license}`: the same licence, newer.
pub fn update(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    given(task)?;
    licence(world, task).map(|_| Effected::default())
}

fn given<'t>(task: &'t Invocation<'_>) -> Result<&'t str, String> {
    let text = task.text("license").trim();
    if text.is_empty() { Err("VMO60277: The license cannot be read.".to_owned()) } else { Ok(text) }
}

fn licence<'w>(world: &'w mut World, task: &Invocation<'_>) -> Result<&'w mut Object, String> {
    world.store.get_mut("licenseInformations", task.target.1).ok_or_else(|| GONE.to_owned())
}
