//! The discovery documents of an instance (sheet 1.1, 1.2): who issues its tokens, with which
//! keys, and which version it is.

use std::sync::Arc;

use serde_json::Value;

use super::jwks::{KeySet, MAX_KEYS};
use crate::clock::Moment;

/// What one instance says about itself. Stays valid while the instance is down: its tokens do.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents {
    /// `ProductVersion` of `/API/.well-known/uris`; unknown if only the IDP has answered so far.
    pub product_version: Option<String>,
    /// `/IDP/.well-known/openid-configuration`, as sent.
    pub openid: Value,
    /// The key set behind `jwks_uri`, as sent, the first [`MAX_KEYS`]; null if it could not be read yet.
    pub jwks: Value,
    /// `issuer` of the openid document.
    pub issuer: String,
    /// Lower-case host names under which the document names its instance: of the issuer first,
    /// then of every other address in it, without repeats.
    pub issuer_host_names: Vec<String>,
    /// Ids of the signing keys, as claimed: two instances may claim the same one.
    pub kids: Vec<String>,
    /// What its tokens can be checked with.
    pub keys: Keys,
    /// When it was read.
    pub fetched: Moment,
}

/// What is known of an instance's keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// Its discovery names a key set, which could not be read yet.
    Unread,
    /// Its discovery names none: only the instance itself can tell which tokens are its own.
    Opaque,
    /// These. The same `Arc` as long as issuer and keys stay the same: what was concluded from a
    /// set holds for whoever has that very set.
    Set(Arc<KeySet>),
}

impl Keys {
    /// The keys, if there are any to look for.
    pub fn set(&self) -> Option<&Arc<KeySet>> {
        match self {
            Self::Set(keys) => Some(keys),
            Self::Unread | Self::Opaque => None,
        }
    }
}

impl Documents {
    /// Puts the parts together; `None` if `openid` is no openid-configuration.
    pub fn assemble(
        openid: Value,
        jwks: Option<Value>,
        product_version: Option<String>,
        now: Moment,
    ) -> Option<Self> {
        let issuer = openid.get("issuer")?.as_str()?.to_owned();
        openid.get("token_endpoint")?.as_str()?;
        let mut issuer_host_names: Vec<String> = Vec::new();
        let addresses = openid.as_object()?.values().filter_map(Value::as_str);
        for host in std::iter::once(issuer.as_str()).chain(addresses).filter_map(host_of) {
            if !issuer_host_names.contains(&host) {
                issuer_host_names.push(host);
            }
        }
        let keys = match &jwks {
            Some(jwks) => Keys::Set(Arc::new(KeySet::parse(jwks))),
            None if named_jwks(&openid).is_some() => Keys::Unread,
            None => Keys::Opaque,
        };
        let mut jwks = jwks.unwrap_or(Value::Null);
        if let Some(list) = jwks.get_mut("keys").and_then(Value::as_array_mut) {
            // Published by us, and compared with the other's: a long list must cost nobody anything.
            list.truncate(MAX_KEYS);
        }
        let kids = key_ids(&jwks);
        Some(Self { product_version, openid, jwks, issuer, issuer_host_names, kids, keys, fetched: now })
    }

    /// Takes over from an earlier reading what could not be read this time.
    #[must_use]
    pub fn or_from(mut self, earlier: &Self) -> Self {
        if self.product_version.is_none() {
            self.product_version.clone_from(&earlier.product_version);
        }
        if self.issuer != earlier.issuer {
            return self;
        }
        if self.jwks.is_null() && earlier.keys.set().is_some() {
            self.jwks = earlier.jwks.clone();
            self.kids.clone_from(&earlier.kids);
            self.keys = earlier.keys.clone();
        }
        if self.keys == earlier.keys {
            self.keys = earlier.keys.clone();
        }
        self
    }

    /// The path and query of `jwks_uri`. Only these: the address in it may be one that only
    /// clients can reach, and a document must not send us anywhere else.
    pub fn jwks_path(openid: &Value) -> String {
        named_jwks(openid).unwrap_or_else(|| DEFAULT_JWKS.to_owned())
    }
}

fn named_jwks(openid: &Value) -> Option<String> {
    let uri = openid.get("jwks_uri")?.as_str()?.parse::<http::Uri>().ok()?;
    uri.path_and_query().map(ToString::to_string)
}

/// Where the IDP's server family keeps its keys unless it says otherwise (sheet 1.2).
const DEFAULT_JWKS: &str = "/IDP/.well-known/openid-configuration/jwks";

fn host_of(address: &str) -> Option<String> {
    let uri = address.parse::<http::Uri>().ok()?;
    uri.scheme()?;
    uri.host().map(|h| h.trim_matches(['[', ']']).to_ascii_lowercase())
}

fn key_ids(jwks: &Value) -> Vec<String> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .filter_map(|k| k.get("kid").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn openid() -> Value {
        json!({
            "issuer": "https://VMS-A.example/IDP",
            "token_endpoint": "https://vms-a.example/IDP/connect/token",
            "jwks_uri": "https://elsewhere.example/IDP/keys?x=1",
            "server_version": "25.2",
        })
    }

    #[test]
    fn parts_become_one() {
        let jwks = json!({"keys": [{"kid": "K1"}, {"kty": "RSA"}, {"kid": "K2"}]});
        let docs =
            Documents::assemble(openid(), Some(jwks), Some("25.2.1.1".into()), Moment::default()).unwrap();
        assert_eq!(docs.issuer, "https://VMS-A.example/IDP");
        assert_eq!(docs.kids, ["K1", "K2"]);
        assert_eq!(docs.issuer_host_names, ["vms-a.example", "elsewhere.example"]);
        assert_eq!(Documents::jwks_path(&docs.openid), "/IDP/keys?x=1");
    }

    #[test]
    fn what_is_missing_stays_from_before() {
        let jwks = json!({"keys": [{"kid": "K1"}]});
        let old = Documents::assemble(openid(), Some(jwks), Some("25.2".into()), Moment::default()).unwrap();
        let new = Documents::assemble(openid(), None, None, Moment::from_micros(5)).unwrap().or_from(&old);
        assert_eq!(new.kids, ["K1"]);
        assert!(Arc::ptr_eq(new.keys.set().unwrap(), old.keys.set().unwrap()));
        assert_eq!(new.product_version.as_deref(), Some("25.2"));
        assert_eq!(new.fetched, Moment::from_micros(5));
    }

    #[test]
    fn keys_of_another_issuer_are_not_kept() {
        let jwks = json!({"keys": [{"kid": "K1"}]});
        let old = Documents::assemble(openid(), Some(jwks), None, Moment::default()).unwrap();
        let mut other = openid();
        other["issuer"] = json!("https://rebuilt.example/IDP");
        let new = Documents::assemble(other, None, None, Moment::default()).unwrap().or_from(&old);
        assert!(new.kids.is_empty());
        assert_eq!(new.keys, Keys::Unread);
    }

    #[test]
    fn the_set_stays_the_same_while_it_says_the_same() {
        let set = |issuer: &str, kid: &str| {
            let mut openid = openid();
            openid["issuer"] = json!(issuer);
            let jwks = json!({"keys": [crate::testing::rsa_jwk(kid)]});
            Documents::assemble(openid, Some(jwks), None, Moment::default()).unwrap()
        };
        let same = |a: &Documents, b: &Documents| Arc::ptr_eq(a.keys.set().unwrap(), b.keys.set().unwrap());
        let first = set("https://a/IDP", "K1");
        let again = set("https://a/IDP", "K1").or_from(&first);
        assert!(same(&first, &again));
        assert!(!same(&first, &set("https://a/IDP", "K2").or_from(&first)), "another key");
        assert!(!same(&first, &set("https://b/IDP", "K1").or_from(&first)), "another issuer");
    }

    #[test]
    fn without_an_address_of_keys_tokens_are_opaque() {
        let keys = |uri: Option<Value>| {
            let mut openid = openid();
            openid.as_object_mut().unwrap().remove("jwks_uri");
            if let Some(uri) = uri {
                openid["jwks_uri"] = uri;
            }
            Documents::assemble(openid, None, None, Moment::default()).unwrap().keys
        };
        assert_eq!(keys(None), Keys::Opaque);
        assert_eq!(keys(Some(json!(null))), Keys::Opaque);
        assert_eq!(keys(Some(json!("no uri"))), Keys::Opaque);
        assert_eq!(keys(Some(json!("https://a.example/IDP/keys"))), Keys::Unread);
    }

    #[test]
    fn other_documents_are_refused() {
        for wrong in [json!(null), json!([]), json!({"issuer": 5}), json!({"issuer": "https://a/IDP"})] {
            assert_eq!(Documents::assemble(wrong, None, None, Moment::default()), None);
        }
    }
}
