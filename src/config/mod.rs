//! From a TOML file to [`types::Config`].

pub mod types;
