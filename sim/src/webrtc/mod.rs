//! WebRTC signalling (protocol sheet 6.1): [`rest`] and, since 2025 R1, the socket of a [`Peer`]. Both start the
//! same canned [`offer`]; nobody sends media.

mod offer;
mod peer;
pub mod rest;
mod session;

pub use peer::Peer;
pub use session::Sessions;

use crate::settings::Version;

/// The release that serves it without being asked to, 2023 R1.
pub const SINCE: Version = Version { major: 23, minor: 1 };

/// What the camera is called in this version: renamed with 2025 R2.
fn device_member(version: Version) -> &'static str {
    if version < (Version { major: 25, minor: 2 }) { "cameraId" } else { "deviceId" }
}

/// A token; the word `Bearer` may stand before it.
fn bare(token: &str) -> &str {
    match token.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token.trim(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
