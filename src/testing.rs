//! What tests of several modules need.

#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::types::{
    Admin, CertificateSource, Config, Failback, FailbackMode, Health, Ids, Instance, InstanceId, Listener,
    Origin, Profile, Service, Site, StandbyWrites, Sync, UpstreamLimits, Validate,
};

#[path = "../tests/support/signer.rs"]
pub(crate) mod signer;

/// A public key with this id; always the same one.
pub(crate) fn rsa_jwk(kid: &str) -> serde_json::Value {
    static KEY: std::sync::LazyLock<serde_json::Value> =
        std::sync::LazyLock::new(|| signer::Signer::rsa("").jwk());
    let mut jwk = KEY.clone();
    jwk["kid"] = kid.into();
    jwk
}

/// One XProtect site on these instances, the first being the primary; nothing listens at their URLs.
pub(crate) fn config(site: &str, instances: &[&str]) -> Config {
    let any = "127.0.0.1:0".parse().unwrap();
    let instance = |name: &&str| Instance {
        name: (*name).to_owned(),
        url: Origin { tls: false, host: "127.0.0.1".to_owned(), port: 1 },
        ca_file: None,
        aliases: Vec::new(),
        account: None,
    };
    Config {
        file: PathBuf::from("gatekeeper.toml"),
        state_dir: PathBuf::from("state"),
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
            token_file: PathBuf::from("state/admin.token"),
            certificate: None,
            hosts: Vec::new(),
            users: Vec::new(),
        },
        metrics: None,
        upstream: UpstreamLimits {
            connect_timeout: Duration::from_millis(250),
            response_timeout: Duration::from_secs(1),
        },
        instances: instances.iter().map(instance).collect(),
        sites: vec![Site {
            name: site.to_owned(),
            hosts: vec!["vms.example".to_owned()],
            any_host: false,
            profile: Profile::Xprotect { pass: Vec::new() },
            primary: InstanceId(0),
            ids: Ids::Canonical,
            standby: (1..instances.len() as u16).map(InstanceId).collect(),
            essential: vec![Service::Identity, Service::Config],
            twin: crate::config::types::TwinPolicy::All,
            twin_binding: crate::config::types::TwinBinding::Address,
        }],
        health: Health {
            interval: Duration::from_millis(500),
            timeout: Duration::from_millis(400),
            rise: 3,
            fall: 2,
        },
        failback: Failback {
            mode: FailbackMode::AfterStable(Duration::from_secs(30)),
            standby_writes: StandbyWrites::Allow,
        },
        sync: Sync {
            enabled: false,
            baseline_auto: false,
            interval: Duration::from_secs(5),
            full_interval: Duration::from_secs(900),
            delete_readings: 2,
            delete_min_age: Duration::from_secs(900),
            unconfirmed: false,
            canary_required: false,
            policies: Vec::new(),
            pairs: Vec::new(),
        },
        validate: Validate::Auto,
        warnings: vec!["a warning".to_owned()],
    }
}
