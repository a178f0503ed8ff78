//! Configurations for the tests of health and balance.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::types::{
    Admin, CertificateSource, Config, Failback, FailbackMode, Health, Instance, InstanceId, Listener, Origin,
    Profile, Service, Site, StandbyWrites, UpstreamLimits,
};

/// One XProtect site `hq` on instances `a`, `b`, ... of these origins.
pub(crate) fn config(origins: &[Origin], mode: FailbackMode) -> Config {
    let instance = |(i, url): (usize, &Origin)| Instance {
        name: char::from(b'a' + i as u8).to_string(),
        url: url.clone(),
        ca_file: None,
        aliases: Vec::new(),
        account: None,
    };
    let any = ([127, 0, 0, 1], 0).into();
    Config {
        file: PathBuf::new(),
        state_dir: PathBuf::new(),
        workers: NonZeroUsize::MIN,
        listener: Listener {
            address: any,
            plain_address: None,
            certificate: CertificateSource::SelfSigned,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            drain_timeout: Duration::from_secs(1),
        },
        admin: Admin {
            address: any,
            token_file: PathBuf::new(),
            certificate: None,
            hosts: Vec::new(),
            users: Vec::new(),
        },
        metrics: None,
        upstream: UpstreamLimits {
            connect_timeout: Duration::from_millis(250),
            response_timeout: Duration::from_secs(60),
        },
        instances: origins.iter().enumerate().map(instance).collect(),
        sites: vec![Site {
            name: "hq".into(),
            hosts: Vec::new(),
            any_host: true,
            profile: Profile::Xprotect { pass: Vec::new() },
            primary: InstanceId(0),
            standby: (1..origins.len() as u16).map(InstanceId).collect(),
            essential: vec![Service::Identity, Service::Config],
        }],
        health: health(),
        failback: Failback { mode, standby_writes: StandbyWrites::Allow },
        warnings: Vec::new(),
    }
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
