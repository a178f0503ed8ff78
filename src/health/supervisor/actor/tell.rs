//! What the log says about moves of services, and about keys of instances.

use crate::balance::picture::Picture;
use crate::vms::documents::Keys;

/// One line for each service that `picture` shows elsewhere than `before` did. The level is what
/// somebody has to do: look soon when a service left its primary, act when nobody serves it, nothing
/// when it came home or when nobody ever had it.
pub(in crate::health::supervisor) fn moves(picture: &Picture, before: &Picture) {
    for change in picture.changes_since(before) {
        let (site, service, why) = (change.site.as_str(), change.service, change.reason.as_str());
        let from = change.from.as_deref().unwrap_or("nobody");
        match change.to.as_deref() {
            _ if !change.exists => {
                let to = change.to.as_deref().unwrap_or("nobody");
                tracing::debug!(site, service = %service, from, to, why, "a service that nobody has moved");
            }
            Some(to) if change.home => {
                tracing::info!(site, service = %service, from, to, why, "service moved");
            }
            Some(to) => tracing::warn!(site, service = %service, from, to, why, "service moved"),
            None => tracing::error!(site, service = %service, from, why, "nobody can serve"),
        }
    }
}

/// What an operator should know about the keys of an instance, when they have changed (design D9).
pub(in crate::health::supervisor) fn keys(instance: &str, keys: &Keys) {
    let keys = match keys {
        Keys::Unread => {
            return tracing::warn!(
                instance,
                "the key set cannot be read; tokens of this instance are refused"
            );
        }
        Keys::Opaque => {
            return tracing::warn!(
                instance,
                "discovery names no key set; tokens of this instance are passed to it unchecked"
            );
        }
        Keys::Set(keys) => keys,
    };
    if !keys.skipped().is_empty() {
        let reasons: Vec<String> = keys.skipped().iter().map(ToString::to_string).collect();
        tracing::warn!(instance, reasons = reasons.join("; "), "some published keys are not used");
    }
    if keys.is_empty() {
        tracing::warn!(
            instance,
            "no published key can check a token; all tokens of this instance are refused \
             unless session.validate is \"never\""
        );
    }
}
