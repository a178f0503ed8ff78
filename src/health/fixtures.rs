//! Configurations for the tests of health and balance.

use std::time::Duration;

use crate::config::types::{Config, FailbackMode, Health, Origin};

/// One XProtect site `hq` on instances `a`, `b`, ... of these origins.
pub(crate) fn config(origins: &[Origin], mode: FailbackMode) -> Config {
    let names = &["a", "b", "c", "d"][..origins.len()];
    let mut config = crate::testing::config("hq", names);
    for (instance, origin) in config.instances.iter_mut().zip(origins) {
        instance.url = origin.clone();
    }
    config.health = health();
    config.failback.mode = mode;
    config
}

/// Instances that nobody will ever call.
pub(crate) fn pure_config(instances: usize, mode: FailbackMode) -> Config {
    let origin = Origin { tls: false, host: "vms.invalid".into(), port: 80 };
    config(&vec![origin; instances], mode)
}

pub(crate) fn health() -> Health {
    let (interval, timeout) = (Duration::from_millis(500), Duration::from_millis(400));
    Health { interval, timeout, rise: 3, fall: 2 }
}
