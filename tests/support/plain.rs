//! The smallest configuration with a standby, for benchmarks and fuzzing: nothing listens at its addresses.

use std::path::Path;
use std::time::SystemTime;

use gatekeeper::config::{self, types::Config};

const TEXT: &str = r#"
[[instance]]
name = "a"
url = "http://127.0.0.1:1"
[[instance]]
name = "b"
url = "http://127.0.0.1:2"
[[site]]
name = "hq"
hosts = ["vms.test"]
primary = "a"
standby = ["b"]
"#;

pub fn config() -> Config {
    config::parse(Path::new("plain.toml"), TEXT.as_bytes(), SystemTime::now()).unwrap()
}
