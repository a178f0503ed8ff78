#![allow(clippy::unwrap_used)]

mod reading;
mod rights;
mod settings;
mod site;
mod site_tasks;
mod tasks;
mod writing;
