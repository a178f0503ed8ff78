//! What one instance is started with.

use std::{fmt, str::FromStr, time::Duration};

use crate::switches::Switches;

/// Everything that makes an instance. `name` and `seed` alone decide its ids, keys and issuer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the instance; another name with the same seed is the same physical site under other ids.
    pub name: String,
    /// Seed of the physical site.
    pub seed: u64,
    /// Number of cameras of the physical site.
    pub cameras: usize,
    /// Number of basic users besides `admin`, and of Windows users, of which there are at least two.
    pub users: usize,
    /// Product version, which decides what the gateway knows (sheet 9).
    pub version: Version,
    /// Origin used in every absolute URL, without a trailing slash.
    pub public_url: String,
    /// Lifetime of an access token (sheet 2.2).
    pub token_lifetime: Duration,
    /// Share (0..=1) of the objects that this instance lacks or has changed.
    pub diverge: f64,
    /// Behaviour that the public material leaves open (sheet 10).
    pub switches: Switches,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "A".to_owned(),
            seed: 1,
            cameras: 50,
            users: 20,
            version: Version { major: 25, minor: 2 },
            public_url: "http://127.0.0.1:8080".to_owned(),
            token_lifetime: Duration::from_secs(3600),
            diverge: 0.0,
            switches: Switches::default(),
        }
    }
}

/// Product version: two-digit year and release index (sheet 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Two-digit year.
    pub major: u16,
    /// Release index within the year.
    pub minor: u16,
}

impl Version {
    /// The four-part form of `ProductVersion`, `sites.version` and `server_version` (sheet 1.5).
    pub fn product(self) -> String {
        format!("{}.{}.12345.1", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A version that is not of the form `25.2`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("version `{0}` is not of the form 25.2 (two-digit year, release)")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || VersionError(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(bad)?;
        let number = |part: &str| {
            let digits = !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten().ok_or_else(bad)
        };
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_parse_order_and_print() {
        let old: Version = "22.1".parse().unwrap();
        let new: Version = "25.2".parse().unwrap();
        assert!(old < new);
        assert_eq!(new.to_string(), "25.2");
        for bad in ["", "25", "25.", ".2", "25.2.1", "a.b", "250.1", "-1.2"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
