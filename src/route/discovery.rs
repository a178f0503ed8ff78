//! Documents that carry addresses (design D11): ours are synthesised from what the probes fetched,
//! an instance's own addresses in other answers become ours. Nothing else in an answer changes.

use serde_json::{Value, json};

use super::normalise::segments;
use super::table::Document;
use crate::balance::Picture;
use crate::config::types::{Config, InstanceId, Origin, SiteId};
use crate::vms::documents::Documents;

/// `/API/.well-known/uris` for a client that reaches us at `origin`; `None` while no instance has
/// told its version yet.
pub fn uris(picture: &Picture, site: SiteId, origin: &str) -> Option<String> {
    let version = preferred(picture, site, |d| d.product_version.as_ref())?;
    // Both management server addresses: a client that came over TLS must not be sent to plain HTTP.
    Some(
        json!({
            "ProductVersion": version,
            "UnsecureManagementServer": format!("{origin}/"),
            "SecureManagementServer": format!("{origin}/"),
            "IdentityProvider": format!("{origin}/IDP"),
            "ApiGateways": [format!("{origin}/API/")],
        })
        .to_string(),
    )
}

/// `openid-configuration`: every address becomes ours, `issuer` stays (fact sheet 2.6). Compact,
/// because clients read it with regular expressions (fact sheet 1.2).
pub fn openid(picture: &Picture, site: SiteId, origin: &str) -> Option<String> {
    let (instance, documents) = candidates(picture, site).find_map(|i| Some((i, picture.documents(i)?)))?;
    let own = Own::new(&picture.config, instance, Some(documents));
    let mut document = documents.openid.clone();
    for (name, value) in document.as_object_mut()? {
        if name != "issuer" {
            own.replace_in(value, origin);
        }
    }
    Some(document.to_string())
}

/// The keys of all instances that are not in quarantine, so that a token of any of them verifies.
pub fn jwks(picture: &Picture, site: SiteId) -> Option<String> {
    let mut keys: Vec<&Value> = Vec::new();
    let mut seen = false;
    for instance in picture.config.site(site).candidates().filter(|i| !picture.quarantined(*i)) {
        let Some(documents) = picture.documents(instance) else { continue };
        seen = true;
        for key in documents.jwks.get("keys").and_then(Value::as_array).into_iter().flatten() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    seen.then(|| json!({ "keys": keys }).to_string())
}

/// Candidates that may be believed: where logins go first.
fn candidates(picture: &Picture, site: SiteId) -> impl Iterator<Item = InstanceId> + '_ {
    let login = picture.table.login(site);
    let others = picture.config.site(site).candidates().filter(move |c| Some(*c) != login);
    login.into_iter().chain(others).filter(|i| !picture.quarantined(*i))
}

fn preferred<'p, T>(
    picture: &'p Picture,
    site: SiteId,
    get: impl Fn(&'p Documents) -> Option<&'p T>,
) -> Option<&'p T> {
    candidates(picture, site).find_map(|i| picture.documents(i).and_then(|d| get(d)))
}

/// Whether the instances that serve this site have told what `document` needs. They have not right
/// after a start.
pub fn is_known(picture: &Picture, site: SiteId, document: Document) -> bool {
    let mut serving = picture
        .config
        .site(site)
        .candidates()
        .filter(|i| picture.eligible(*i, document.service()))
        .map(|i| picture.documents(i))
        .peekable();
    match document {
        // Nobody serves: there is nothing to wait for.
        _ if serving.peek().is_none() => true,
        Document::Uris => serving.any(|d| d.is_some_and(|d| d.product_version.is_some())),
        Document::OpenId | Document::Jwks => serving.all(|d| d.is_some()),
    }
}

/// Whether answers on this path carry addresses of the instance (fact sheet 1.4).
pub fn carries_addresses(path: &str) -> bool {
    segments(path).skip(3).any(|s| ADDRESSED.iter().any(|name| s.eq_ignore_ascii_case(name)))
}

const ADDRESSED: [&str; 3] = ["registeredServices", "systemAddresses", "siteAddresses"];

/// The origins by which one instance calls itself.
pub struct Own {
    origins: Vec<Origin>,
}

impl Own {
    /// Its URL, its aliases, and the names in its own discovery at the default ports. Other hosts
    /// and ports (recorders, identity providers) are nobody's business here.
    pub fn new(config: &Config, instance: InstanceId, documents: Option<&std::sync::Arc<Documents>>) -> Self {
        let configured = config.instance(instance);
        let mut origins = vec![configured.url.clone()];
        origins.extend(configured.aliases.iter().cloned());
        for host in documents.iter().flat_map(|d| &d.issuer_host_names) {
            for (tls, port) in [(true, 443), (false, 80)] {
                origins.push(Origin { tls, host: host.clone(), port });
            }
        }
        Self { origins }
    }

    /// A URL with one of the instance's origins, with `origin` instead. What stands in its query is
    /// not touched.
    pub fn replace_url(&self, url: &str, origin: &str) -> Option<String> {
        let found = next_url(url).filter(|found| found.start == 0)?;
        let own = self.is_own(found.tls, &url[found.authority.clone()]);
        own.then(|| format!("{origin}{}", &url[found.authority.end..]))
    }

    /// Replaces the instance's origins in `text` by `origin`; `None` if there is none in it. Works
    /// on the text, not on parsed JSON, so that everything else stays byte for byte.
    pub fn replace(&self, text: &str, origin: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(found) = next_url(rest) {
            let host_and_port = &rest[found.authority.clone()];
            let (before, after) = (&rest[..found.start], &rest[found.authority.end..]);
            out.push_str(before);
            if self.is_own(found.tls, host_and_port) {
                if found.escaped {
                    out.push_str(&origin.replace('/', "\\/"));
                } else {
                    out.push_str(origin);
                }
            } else {
                out.push_str(&rest[found.start..found.authority.end]);
            }
            rest = after;
        }
        out.push_str(rest);
        (out != text).then_some(out)
    }

    fn replace_in(&self, value: &mut Value, origin: &str) {
        match value {
            Value::String(text) => {
                if let Some(new) = self.replace(text, origin) {
                    *text = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|v| self.replace_in(v, origin)),
            Value::Object(members) => members.values_mut().for_each(|v| self.replace_in(v, origin)),
            _ => {}
        }
    }

    fn is_own(&self, tls: bool, authority: &str) -> bool {
        let default = if tls { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(port) => (host, port),
                Err(_) => return false,
            },
            _ => (authority, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.origins.iter().any(|o| o.tls == tls && o.port == port && o.host.eq_ignore_ascii_case(host))
    }
}

struct Url {
    start: usize,
    authority: std::ops::Range<usize>,
    tls: bool,
    /// JSON may write `/` as `\/`.
    escaped: bool,
}

/// The next `http(s)://authority` in `text`.
fn next_url(text: &str) -> Option<Url> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let colon = from + bytes[from..].iter().position(|b| *b == b':')?;
        from = colon + 1;
        let after = &bytes[colon + 1..];
        let (slashes, escaped) = if after.starts_with(b"//") {
            (2, false)
        } else if after.starts_with(b"\\/\\/") {
            (4, true)
        } else {
            continue;
        };
        let scheme = |name: &[u8]| {
            let start = colon.checked_sub(name.len())?;
            let word = bytes[start..colon].eq_ignore_ascii_case(name);
            let alone = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
            (word && alone).then_some(start)
        };
        let (start, tls) = match (scheme(b"https"), scheme(b"http")) {
            (Some(start), _) => (start, true),
            (None, Some(start)) => (start, false),
            (None, None) => continue,
        };
        let begin = colon + 1 + slashes;
        let length = bytes[begin..]
            .iter()
            .position(|b| {
                !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
            })
            .unwrap_or(bytes.len() - begin);
        // `user@host`: the part before the @ is no host.
        if length > 0 && bytes.get(begin + length) != Some(&b'@') {
            return Some(Url { start, authority: begin..begin + length, tls, escaped });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own() -> Own {
        let origin = |tls, host: &str, port| Origin { tls, host: host.into(), port };
        Own { origins: vec![origin(true, "vms-a.example", 443), origin(false, "10.0.0.1", 8080)] }
    }

    #[test]
    fn only_its_own_origins_become_ours() {
        let ours = "https://vms.example:8443";
        for (text, want) in [
            (r#"{ "uri" : "https://vms-a.example/API/" }"#, r#"{ "uri" : "https://vms.example:8443/API/" }"#),
            (r#"["https://VMS-A.example:443"]"#, r#"["https://vms.example:8443"]"#),
            (r#""http:\/\/10.0.0.1:8080\/x""#, r#""https:\/\/vms.example:8443\/x""#),
            ("https://vms-a.example:7563/", "https://vms-a.example:7563/"),
            ("http://vms-a.example/", "http://vms-a.example/"),
            ("https://vms-a.example.evil.example/", "https://vms-a.example.evil.example/"),
            ("https://vms-a.example@evil.example/", "https://vms-a.example@evil.example/"),
            ("xhttps://vms-a.example/", "xhttps://vms-a.example/"),
            ("no url: at all", "no url: at all"),
        ] {
            assert_eq!(own().replace(text, ours).unwrap_or_else(|| text.into()), want);
        }
    }

    #[test]
    fn paths_with_addresses() {
        assert!(carries_addresses("/API/rest/v1/registeredServices"));
        assert!(carries_addresses("/api/rest/v1/childSites/1/SITEADDRESSES"));
        assert!(!carries_addresses("/API/rest/v1/cameras"));
        assert!(!carries_addresses("/systemAddresses/a/b"));
    }

    proptest! {
        #[test]
        fn other_text_is_left_alone(text in "[ -~]{0,80}") {
            prop_assume!(!text.to_ascii_lowercase().contains("vms-a") && !text.contains("10.0.0.1"));
            prop_assert_eq!(own().replace(&text, "https://x"), None);
        }
    }
}
