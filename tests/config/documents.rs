//! The manual and the example file say what the table of keys says.

use std::path::{Path, PathBuf};

use gatekeeper::cli::check::report;
use gatekeeper::config::keys::{KEYS, Preset, render};

use crate::world::World;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn compare(name: &str, made: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file(name), made).unwrap();
    }
    let kept = std::fs::read_to_string(file(name)).unwrap_or_default();
    assert!(kept == made, "{name} is out of date: run UPDATE_DOCS=1 cargo test --test config");
}

#[test]
fn the_manual_is_up_to_date() {
    compare("docs/configuration.md", &render::manual());
}

#[test]
fn the_example_is_up_to_date() {
    compare("config/gatekeeper.toml", &render::example());
}

#[test]
fn the_shipped_files_load_as_they_stand() {
    for name in ["config/gatekeeper.toml", "config/minimal.toml"] {
        let config = gatekeeper::config::load(&file(name)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(config.sites.len(), 1, "{name}");
        assert_eq!(config.warnings.len(), 1, "{name}: {:?}", config.warnings);
    }
}

/// The example with every setting switched on.
pub fn everything() -> String {
    let switch_on = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_alphabetic() || c == '[') => {
            setting.to_owned()
        }
        _ => line.to_owned(),
    };
    render::example().lines().map(|line| switch_on(line) + "\n").collect()
}

#[test]
fn the_example_has_every_key_and_loads_when_all_are_switched_on() {
    let text = everything();
    for key in KEYS {
        let name = key.path.rsplit('.').next().unwrap();
        let optional = key.path.contains("account.") || key.path.starts_with("sync.limits.*.");
        let written = text.lines().any(|l| l.starts_with(&format!("{name} = "))) || optional;
        assert!(written, "{} is not in the example", key.path);
    }
    let config = World::new().parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let unbuilt = config.warnings.iter().filter(|w| w.contains("keys without effect")).count();
    assert_eq!(unbuilt, 1, "{:?}", config.warnings);
}

#[test]
fn written_defaults_are_the_defaults() {
    // Both hold the same configuration; one spells every default out.
    let world = World::new();
    let mut spelled: Vec<String> = Vec::new();
    for line in render::example().lines() {
        let setting = line.strip_prefix('#').filter(|s| s.starts_with(|c: char| c.is_ascii_alphabetic()));
        let is_default = |s: &str| {
            let (name, value) = s.split_once(" = ").unwrap();
            KEYS.iter().any(|k| {
                let may_be_off = k.path.contains("[].") && !k.path.starts_with("site");
                k.path.rsplit('.').next() == Some(name)
                    && matches!(k.preset, Preset::Value(preset) if preset == value)
                    && !may_be_off
            })
        };
        spelled.push(setting.filter(|s| is_default(s)).unwrap_or(line).to_owned());
    }
    let strip = |text: &str| {
        let mut config = world.parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        config.warnings.clear();
        format!("{config:?}")
    };
    assert_eq!(strip(&spelled.join("\n")), strip(&render::example()));
}

#[test]
fn check_tells_what_would_be_served() {
    let world = World::new();
    let text = "
        admin.user = [{ name = 'alice', role = 'operator', token_file = 'secrets/alice.token' }]
        health.interval = '1s'
        [listener]
        certificate = 'certs/vms.pem'
        private_key = 'certs/vms.key'
        [[instance]]
        name = 'a'
        url = 'https://vms-a.example'
        ca_file = 'certs/ca.pem'
        account = { username = 'gatekeeper', password_file = 'secrets/a' }
        [[instance]]
        name = 'b'
        url = 'http://vms-b.example:8080'
        [[site]]
        name = 'hq'
        hosts = ['vms.example']
        primary = 'a'
        standby = ['b']
    ";
    let config = world.parse(text.as_bytes()).unwrap();
    let report = report(&config);
    for part in [
        "listener       0.0.0.0:443 (TLS)",
        "certs/vms.pem for vms.example, 127.0.0.1, until 2099-01-01 00:00:00 UTC",
        "users        local (admin), alice (operator)",
        "hosts        vms.example",
        "profile      xprotect",
        "primary      a",
        "standby      b",
        "services     identity, config, events, webrtc, soap",
        "url          http://vms-b.example:8080",
        "CA           none: plain HTTP",
        "account      gatekeeper",
        "probe every 1s, time-out 400ms; up after 3, down after 2",
        "when the primary was healthy for 30s; writes on a standby are allowed",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    assert!(!report.contains("hunter2") && !report.contains("token-of-alice"));
}
