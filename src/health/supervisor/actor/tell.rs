//! What the log says about moves of services.

use crate::balance::picture::Picture;

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
