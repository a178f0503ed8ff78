//! What differs between two configurations, and what of it a running process cannot take over.

use std::fmt::Debug;

use crate::config::Complaint;
use crate::config::types::{Config, Instance, Site};

/// Changes that need a restart: a reload with any of them is refused as a whole, because half a
/// configuration is one that nobody wrote.
pub fn frozen(old: &Config, new: &Config) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut compare = |place: &str, old: String, new_value: String| {
        if old != new_value {
            found.push(Complaint {
                file: new.file.clone(),
                line: None,
                column: None,
                place: place.to_owned(),
                problem: format!("cannot change from {old} to {new_value} while the gatekeeper runs"),
                remedy: "restart it, or put the old value back".to_owned(),
            });
        }
    };
    let off = |a: Option<std::net::SocketAddr>| a.map_or_else(|| "off".to_owned(), |a| a.to_string());
    compare("state_dir", old.state_dir.display().to_string(), new.state_dir.display().to_string());
    compare("[runtime] workers", old.workers.to_string(), new.workers.to_string());
    compare("[listener] address", old.listener.address.to_string(), new.listener.address.to_string());
    compare("[listener] plain_address", off(old.listener.plain_address), off(new.listener.plain_address));
    // Contents of the files are read again; that there is TLS at all is decided when the listener opens.
    let tls = |c: &Config| if c.admin.certificate.is_some() { "a certificate" } else { "none" }.to_owned();
    compare("[admin] certificate", tls(old), tls(new));
    compare("[admin] address", old.admin.address.to_string(), new.admin.address.to_string());
    compare("[metrics] address", off(old.metrics), off(new.metrics));
    found
}

/// What differs, one line a change, for the log and the operator. Contents of files that keep
/// their path (a renewed certificate) are not looked at.
pub fn changes(old: &Config, new: &Config) -> Vec<String> {
    let mut found: Vec<String> =
        frozen(old, new).into_iter().map(|c| format!("{}: changed", c.place)).collect();
    let mut part = |place: &str, differs: bool| {
        if differs {
            found.push(format!("{place}: changed"));
        }
    };
    part("[listener] certificate", old.listener.certificate != new.listener.certificate);
    part("[listener] trusted_proxies", old.listener.trusted_proxies != new.listener.trusted_proxies);
    part("[listener] proxy_protocol", old.listener.proxy_protocol != new.listener.proxy_protocol);
    part("[listener] drain_timeout", old.listener.drain_timeout != new.listener.drain_timeout);
    part("[admin] token_file", old.admin.token_file != new.admin.token_file);
    let moved = |(a, b): (&Option<_>, &Option<_>)| a.is_some() && b.is_some() && a != b;
    part("[admin] certificate", moved((&old.admin.certificate, &new.admin.certificate)));
    part("[admin] hosts", old.admin.hosts != new.admin.hosts);
    part("[[admin.user]]", differ(&old.admin.users, &new.admin.users));
    part("[upstream]", differ(&old.upstream, &new.upstream));
    part("[health]", old.health != new.health);
    part("[failback]", old.failback != new.failback);
    part("[sync]", old.sync != new.sync);
    named("instance", &old.instances, &new.instances, |i: &Instance| (i.name.clone(), shown(i)), &mut found);
    // Ids are places in a list: compare the names that they stand for.
    let site = |config: &Config, site: &Site| {
        let names: Vec<&str> = site.candidates().map(|c| config.instance(c).name.as_str()).collect();
        let rest = (&site.hosts, site.any_host, &site.profile, &site.essential);
        (site.name.clone(), shown(&(names, rest)))
    };
    let before: Vec<_> = old.sites.iter().map(|s| site(old, s)).collect();
    let after: Vec<_> = new.sites.iter().map(|s| site(new, s)).collect();
    named("site", &before, &after, Clone::clone, &mut found);
    found
}

/// `Debug` of configuration types shows every field and never a secret (those stay in files).
fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn differ(a: &impl Debug, b: &impl Debug) -> bool {
    shown(a) != shown(b)
}

fn named<T>(
    kind: &str,
    old: &[T],
    new: &[T],
    entry: impl Fn(&T) -> (String, String),
    found: &mut Vec<String>,
) {
    let old: Vec<(String, String)> = old.iter().map(&entry).collect();
    let new: Vec<(String, String)> = new.iter().map(&entry).collect();
    for (name, value) in &new {
        match old.iter().find(|(n, _)| n == name) {
            None => found.push(format!("[[{kind}]] {name:?}: added")),
            Some((_, before)) if before != value => found.push(format!("[[{kind}]] {name:?}: changed")),
            Some(_) => {}
        }
    }
    for (name, _) in old.iter().filter(|(name, _)| !new.iter().any(|(n, _)| n == name)) {
        found.push(format!("[[{kind}]] {name:?}: removed"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::Path;
    use std::time::SystemTime;

    use super::*;
    use crate::config::keys::{Effect, KEYS};

    const BASE: &str = r#"
        instance = [{ name = "a", url = "http://a" }, { name = "b", url = "http://b" }]
        site = [{ name = "hq", hosts = ["*"], primary = "a", standby = ["b"] }]
    "#;

    fn config(text: &str) -> Config {
        crate::config::parse(Path::new("g.toml"), text.as_bytes(), SystemTime::now()).unwrap()
    }

    #[test]
    fn equal_configurations_have_no_changes() {
        assert!(changes(&config(BASE), &config(BASE)).is_empty());
        assert!(frozen(&config(BASE), &config(BASE)).is_empty());
    }

    #[test]
    fn exactly_the_keys_that_the_manual_says_need_a_restart() {
        let new = config(&format!(
            "state_dir = 'x'\nruntime.workers = 77\nlistener.address = '127.0.0.1:1'\nlistener.plain_address = \
             '127.0.0.1:2'\nadmin.address = '127.0.0.1:3'\nmetrics.address = '127.0.0.1:4'\n{BASE}"
        ));
        let complaints = frozen(&config(BASE), &new);
        let places: Vec<String> = complaints.iter().map(|c| c.place.clone()).collect();
        let manual: Vec<String> = KEYS
            .iter()
            .filter(|k| k.effect == Effect::Restart)
            .map(|k| k.path.split_once('.').map_or(k.path.to_owned(), |(t, n)| format!("[{t}] {n}")))
            .collect();
        assert_eq!(places, manual);
        assert_eq!(
            complaints[5].to_string(),
            "g.toml: [metrics] address: cannot change from off to 127.0.0.1:4 while the gatekeeper runs; \
             restart it, or put the old value back"
        );
    }

    #[test]
    fn tls_of_the_admin_listener_comes_and_goes_with_a_restart_only() {
        let with = |files: Option<(&str, &str)>| {
            let mut config = config(BASE);
            config.admin.certificate = files.map(|(chain, key)| (chain.into(), key.into()));
            config
        };
        let (plain, tls, other) = (with(None), with(Some(("c", "k"))), with(Some(("c2", "k"))));
        assert!(frozen(&tls, &other).is_empty());
        assert_eq!(changes(&tls, &other), ["[admin] certificate: changed"]);
        for (before, after) in [(&plain, &tls), (&tls, &plain)] {
            let places: Vec<String> = frozen(before, after).into_iter().map(|c| c.place).collect();
            assert_eq!(places, ["[admin] certificate"]);
            assert_eq!(changes(before, after), ["[admin] certificate: changed"]);
        }
        assert_eq!(
            frozen(&plain, &tls)[0].to_string(),
            "g.toml: [admin] certificate: cannot change from none to a certificate while the gatekeeper runs; \
             restart it, or put the old value back"
        );
    }

    #[test]
    fn changes_are_named() {
        let new = config(
            r#"
            listener.drain_timeout = "5s"
            health.rise = 9
            instance = [{ name = "c", url = "http://c" }, { name = "a", url = "http://a:81" }]
            site = [{ name = "hq", hosts = ["*"], primary = "a", standby = ["c"] },
                    { name = "two", hosts = ["x"], primary = "c" }]
            "#,
        );
        assert_eq!(
            changes(&config(BASE), &new),
            [
                "[listener] drain_timeout: changed",
                "[health]: changed",
                "[[instance]] \"c\": added",
                "[[instance]] \"a\": changed",
                "[[instance]] \"b\": removed",
                "[[site]] \"hq\": changed",
                "[[site]] \"two\": added",
            ]
        );
    }

    #[test]
    fn a_new_order_of_instances_changes_no_site() {
        let new = config(
            r#"
            instance = [{ name = "b", url = "http://b" }, { name = "a", url = "http://a" }]
            site = [{ name = "hq", hosts = ["*"], primary = "a", standby = ["b"] }]
            "#,
        );
        assert!(changes(&config(BASE), &new).is_empty());
    }
}
