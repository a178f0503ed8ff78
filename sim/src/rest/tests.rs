#![allow(clippy::unwrap_used)]

mod reading;
mod settings;
mod tasks;
mod writing;
