#![allow(clippy::unwrap_used)]

mod device_tasks;
mod devices;
mod ptz;
mod reading;
mod rights;
mod settings;
mod site;
mod site_tasks;
mod tasks;
mod writing;
