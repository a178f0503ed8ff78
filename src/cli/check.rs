//! `gatekeeper check`: is the configuration right, and what would it serve?

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use crate::config::certificate::{self, Facts, show_date};
use crate::config::types::{
    AdminRole, CertificateSource, Config, FailbackMode, Instance, Profile, Site, StandbyWrites,
};
use crate::config::{self, show_time};

/// Usage or configuration (design section 5).
const REFUSED: u8 = 2;

/// Checks a configuration file: prints what would be served and the warnings to standard output
/// and returns 0, or prints every mistake to standard error and returns 2.
pub fn check(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(config) => {
            print(&report(&config), std::io::stdout());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let count = error.complaints.len();
            let mistakes = if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") };
            print(&format!("{error}\n{}: {mistakes}\n", path.display()), std::io::stderr());
            ExitCode::from(REFUSED)
        }
    }
}

/// A reader that went away (`| head`) is no failure of the check.
fn print(text: &str, mut to: impl std::io::Write) {
    let _ = to.write_all(text.as_bytes());
}

/// What a configuration would serve, for people. Not a format for programs.
pub fn report(config: &Config) -> String {
    let mut out = Report::default();
    out.line(0, &config.file.display().to_string(), "is valid");
    listeners(config, &mut out);
    for site in &config.sites {
        out.gap();
        show_site(config, site, &mut out);
    }
    for instance in &config.instances {
        out.gap();
        show_instance(instance, &mut out);
    }
    out.gap();
    timing(config, &mut out);
    if !config.warnings.is_empty() {
        out.gap();
        for warning in &config.warnings {
            out.line(0, "warning", warning);
        }
    }
    out.0
}

fn listeners(config: &Config, out: &mut Report) {
    let listener = &config.listener;
    out.gap();
    out.line(0, "listener", &format!("{} (TLS)", listener.address));
    match &listener.certificate {
        CertificateSource::SelfSigned => out.line(1, "certificate", "self-signed, made at start"),
        CertificateSource::Files { chain, .. } => out.line(1, "certificate", &describe_chain(chain)),
    }
    out.line(1, "plain HTTP", &address(listener.plain_address));
    let trusted: Vec<String> = listener.trusted_proxies.iter().map(ToString::to_string).collect();
    if !trusted.is_empty() {
        let with = if listener.proxy_protocol { " with PROXY protocol" } else { "" };
        out.line(1, "proxies", &format!("{}{with}", trusted.join(", ")));
    }
    let admin = &config.admin;
    let secured = if admin.certificate.is_some() { "TLS" } else { "plain HTTP, loopback only" };
    out.line(0, "admin", &format!("{} ({secured})", admin.address));
    if let Some((chain, _)) = &admin.certificate {
        out.line(1, "certificate", &describe_chain(chain));
    }
    let mut users = vec!["local (admin)".to_owned()];
    users.extend(admin.users.iter().map(|u| format!("{} ({})", u.name, role(u.role))));
    out.line(1, "users", &users.join(", "));
    out.line(0, "metrics", &address(config.metrics));
    out.line(0, "state", &config.state_dir.display().to_string());
    out.line(0, "workers", &config.workers.to_string());
}

const fn role(role: AdminRole) -> &'static str {
    match role {
        AdminRole::Viewer => "viewer",
        AdminRole::Operator => "operator",
        AdminRole::Approver => "approver",
        AdminRole::Admin => "admin",
    }
}

fn address(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "off".to_owned(), |a| a.to_string())
}

fn describe_chain(path: &Path) -> String {
    // Read again: the configuration keeps the path only. It may have changed since.
    let facts = certificate::read_chain(path).map(|chain| chain.first().and_then(Facts::of));
    match facts {
        Ok(Some(facts)) => {
            let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
            format!("{} for {names}, until {}", path.display(), show_date(facts.until))
        }
        Ok(None) => path.display().to_string(),
        Err(error) => error.to_string(),
    }
}

fn show_site(config: &Config, site: &Site, out: &mut Report) {
    let hosts = if site.any_host { "any that no other site has".to_owned() } else { site.hosts.join(", ") };
    out.line(0, "site", &site.name);
    out.line(1, "hosts", &hosts);
    let extra = match &site.profile {
        Profile::Xprotect { pass } => {
            out.line(1, "profile", "xprotect");
            (!pass.is_empty()).then(|| ("pass", pass.join(", ")))
        }
        Profile::Http { probe } => {
            out.line(1, "profile", "http");
            Some(("probe", probe.clone()))
        }
    };
    if let Some((name, text)) = extra {
        out.line(1, name, &text);
    }
    out.line(1, "primary", &config.instance(site.primary).name);
    let standbys: Vec<&str> = site.standby.iter().map(|id| config.instance(*id).name.as_str()).collect();
    out.line(1, "standby", &if standbys.is_empty() { "none".to_owned() } else { standbys.join(", then ") });
    let services: Vec<&str> = site.services().iter().map(|s| s.as_str()).collect();
    out.line(1, "services", &services.join(", "));
    let essential: Vec<&str> = site.essential.iter().map(|s| s.as_str()).collect();
    out.line(1, "essential", &essential.join(", "));
}

fn show_instance(instance: &Instance, out: &mut Report) {
    out.line(0, "instance", &instance.name);
    out.line(1, "url", &instance.url.to_string());
    let trust = match &instance.ca_file {
        _ if !instance.url.tls => "none: plain HTTP".to_owned(),
        Some(file) => file.display().to_string(),
        None => "the system's trust store".to_owned(),
    };
    out.line(1, "CA", &trust);
    if !instance.aliases.is_empty() {
        let aliases: Vec<String> = instance.aliases.iter().map(ToString::to_string).collect();
        out.line(1, "aliases", &aliases.join(", "));
    }
    let account = instance.account.as_ref().map_or("none: no deep probes", |a| a.username.as_str());
    out.line(1, "account", account);
}

fn timing(config: &Config, out: &mut Report) {
    let (health, upstream) = (&config.health, &config.upstream);
    let (interval, timeout) = (show_time(health.interval), show_time(health.timeout));
    out.line(
        0,
        "health",
        &format!(
            "probe every {interval}, time-out {timeout}; up after {}, down after {}",
            health.rise, health.fall
        ),
    );
    let mode = match config.failback.mode {
        FailbackMode::AfterStable(time) => format!("when the primary was healthy for {}", show_time(time)),
        FailbackMode::Manual => "by an operator only".to_owned(),
        FailbackMode::Immediate => "as soon as the primary is up".to_owned(),
    };
    let writes = match config.failback.standby_writes {
        StandbyWrites::Allow => "allowed",
        StandbyWrites::Refuse => "refused",
    };
    out.line(0, "failback", &format!("{mode}; writes on a standby are {writes}"));
    out.line(
        0,
        "upstream",
        &format!(
            "connect in {}, answer in {}",
            show_time(upstream.connect_timeout),
            show_time(upstream.response_timeout)
        ),
    );
}

/// Lines of a name and a text in two columns.
#[derive(Default)]
struct Report(String);

impl Report {
    fn line(&mut self, depth: usize, name: &str, text: &str) {
        let width = 14 - 2 * depth;
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{:indent$}{name:width$} {text}", "", indent = 2 * depth);
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }
}
