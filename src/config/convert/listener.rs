//! `[listener]`, and that no two listeners want the same address.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Context, pair};
use crate::config::raw::Table;
use crate::config::types::{CertificateSource, Listener, Site};
use crate::config::value::Item;

pub(super) fn convert(root: &Table, sites: Option<&[Site]>, cx: &mut Context<'_>) -> Option<Listener> {
    let table = root.table("listener")?;
    let certificate = pair::convert(table, cx).map(|(pair, facts)| {
        if let (Some(facts), Some(sites)) = (&facts, sites) {
            let hosts = sites.iter().flat_map(|s| s.hosts.iter().map(String::as_str));
            pair::warn_of_names(table, facts, hosts, cx);
        }
        match pair {
            pair::Pair::Files { chain, key } => CertificateSource::Files { chain, key },
            pair::Pair::None => {
                cx.out.warning(
                    table.at,
                    table.place("certificate"),
                    "none is set: clients will see a self-signed certificate",
                    "set certificate and private_key",
                );
                CertificateSource::SelfSigned
            }
        }
    });
    let trusted_proxies = trusted(table, cx);
    let proxy_protocol = table.get::<bool>("proxy_protocol")?;
    if proxy_protocol && trusted_proxies.as_ref().is_some_and(Vec::is_empty) {
        cx.error(
            table,
            "proxy_protocol",
            "trusted_proxies is empty: nobody may send a PROXY header",
            "add the load balancers to trusted_proxies",
        );
        return None;
    }
    Some(Listener {
        address: table.get::<Option<SocketAddr>>("address")??,
        plain_address: table.get("plain_address")?,
        certificate: certificate?,
        trusted_proxies: trusted_proxies?,
        proxy_protocol,
        drain_timeout: table.get("drain_timeout")?,
    })
}

fn trusted(table: &Table, cx: &mut Context<'_>) -> Option<Vec<IpNet>> {
    let items = table.get::<Vec<Item<IpNet>>>("trusted_proxies")?;
    for item in items.iter().filter(|i| i.value.prefix_len() == 0) {
        cx.out.warning(
            item.at,
            table.place("trusted_proxies"),
            format!("{} trusts every client to name its own address", item.value),
            "list the load balancers only",
        );
    }
    Some(items.into_iter().map(|i| i.value).collect())
}

/// Complains when two listeners would want one address.
pub(super) fn check_addresses(root: &Table, cx: &mut Context<'_>) {
    let keys = [
        ("listener", "address"),
        ("listener", "plain_address"),
        ("admin", "address"),
        ("metrics", "address"),
    ];
    let mut taken: Vec<(SocketAddr, String)> = Vec::new();
    for (name, key) in keys {
        let Some(table) = root.table(name) else { continue };
        let Some(Some(address)) = table.get::<Option<SocketAddr>>(key) else { continue };
        if let Some((other, place)) = taken.iter().find(|(other, _)| overlap(*other, address)) {
            let problem = format!("{address} is taken by {place} ({other})");
            cx.error(table, key, problem, "choose another port");
        }
        taken.push((address, table.place(key)));
    }
}

fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    // Port 0 takes whatever is free.
    if a.port() != b.port() || a.port() == 0 {
        return false;
    }
    // `0.0.0.0` takes the port on every IPv4 address, `[::]` usually on all.
    let takes = |wide: IpAddr, other: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || other.is_ipv4());
    a.ip() == b.ip() || takes(a.ip(), b.ip()) || takes(b.ip(), a.ip())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        let both = |a: &str, b: &str| {
            let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(overlap(a, b), overlap(b, a));
            overlap(a, b)
        };
        assert!(both("127.0.0.1:80", "127.0.0.1:80"));
        assert!(both("0.0.0.0:80", "127.0.0.1:80"));
        assert!(both("[::]:80", "127.0.0.1:80"));
        assert!(!both("127.0.0.1:80", "127.0.0.2:80"));
        assert!(!both("0.0.0.0:80", "[::1]:80"));
        assert!(!both("127.0.0.1:0", "127.0.0.1:0"));
        assert!(!both("0.0.0.0:80", "0.0.0.0:81"));
    }
}
