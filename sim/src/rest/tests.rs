#![allow(clippy::unwrap_used)]

mod reading;
mod rights;
mod settings;
mod tasks;
mod writing;
