//! A listener's certificate and key: they exist, parse, match, are valid, and cover the names.

use std::path::PathBuf;

use super::Context;
use crate::config::certificate::{self, Facts, show_date};
use crate::config::raw::Table;

/// The files of `certificate` and `private_key`.
pub(super) enum Pair {
    /// Neither is written.
    None,
    /// Both, and they fit.
    Files { chain: PathBuf, key: PathBuf },
}

/// `None`: wrong, and said so.
pub(super) fn convert(table: &Table, cx: &mut Context<'_>) -> Option<(Pair, Option<Facts>)> {
    let chain: String = table.get("certificate")?;
    let key: String = table.get("private_key")?;
    match (chain.is_empty(), key.is_empty()) {
        (true, true) => return Some((Pair::None, None)),
        (false, true) => {
            cx.error(table, "certificate", "there is no private_key for it", "set private_key as well");
            return None;
        }
        (true, false) => {
            cx.error(table, "private_key", "there is no certificate for it", "set certificate as well");
            return None;
        }
        (false, false) => {}
    }
    let (chain, key) = (cx.file(&chain), cx.file(&key));
    let certificates =
        certificate::read_chain(&chain).map_err(|e| cx.bad_file(table, "certificate", &e)).ok();
    let private = certificate::read_key(&key).map_err(|e| cx.bad_file(table, "private_key", &e)).ok();
    if private.is_some() {
        cx.warn_if_open(table, "private_key", &key);
    }
    let certificates = certificates?;
    let facts = certificates.first().and_then(Facts::of);
    if let Err(error) = certificate::check_pair(certificates, private?, &key) {
        cx.bad_file(table, "private_key", &error);
        return None;
    }
    if let Some(facts) = &facts {
        warn_of_dates(table, facts, cx);
    }
    Some((Pair::Files { chain, key }, facts))
}

fn warn_of_dates(table: &Table, facts: &Facts, cx: &mut Context<'_>) {
    if cx.now > facts.until {
        let problem = format!("the certificate expired at {}", show_date(facts.until));
        cx.warning(table, "certificate", problem, "clients will refuse it; renew it");
    } else if cx.now < facts.from {
        let problem = format!("the certificate is not valid before {}", show_date(facts.from));
        cx.warning(table, "certificate", problem, "clients will refuse it until then; check the clock");
    }
}

/// Warns of names that the certificate is not for.
pub(super) fn warn_of_names<'h>(
    table: &Table,
    facts: &Facts,
    hosts: impl Iterator<Item = &'h str>,
    cx: &mut Context<'_>,
) {
    let missing: Vec<&str> = hosts.filter(|h| !facts.covers(h)).collect();
    if !missing.is_empty() {
        let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
        cx.warning(
            table,
            "certificate",
            format!("mismatching certificate: it is for {names}, not for {}", missing.join(", ")),
            "clients will refuse it under these names; use a certificate that holds them",
        );
    }
}
