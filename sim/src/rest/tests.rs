#![allow(clippy::unwrap_used)]

mod reading;
mod tasks;
mod writing;
