//! The discovery documents of an instance (sheet 1.1, 1.2): who issues its tokens, with which
//! keys, and which version it is.

use serde_json::Value;

use crate::clock::Moment;

/// What one instance says about itself. Stays valid while the instance is down: its tokens do.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents {
    /// `ProductVersion` of `/API/.well-known/uris`; unknown if only the IDP has answered so far.
    pub product_version: Option<String>,
    /// `/IDP/.well-known/openid-configuration`, as sent.
    pub openid: Value,
    /// The key set behind `jwks_uri`, as sent; null if it could not be read yet.
    pub jwks: Value,
    /// `issuer` of the openid document.
    pub issuer: String,
    /// Lower-case host names under which the document names its instance: of the issuer first,
    /// then of every other address in it, without repeats.
    pub issuer_host_names: Vec<String>,
    /// Ids of the signing keys, as claimed: two instances may claim the same one.
    pub kids: Vec<String>,
    /// When it was read.
    pub fetched: Moment,
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
        let jwks = jwks.unwrap_or(Value::Null);
        let kids = key_ids(&jwks);
        Some(Self { product_version, openid, jwks, issuer, issuer_host_names, kids, fetched: now })
    }

    /// Takes over from an earlier reading what could not be read this time.
    #[must_use]
    pub fn or_from(mut self, earlier: &Self) -> Self {
        if self.product_version.is_none() {
            self.product_version.clone_from(&earlier.product_version);
        }
        if self.jwks.is_null() && self.issuer == earlier.issuer {
            self.jwks = earlier.jwks.clone();
            self.kids.clone_from(&earlier.kids);
        }
        self
    }

    /// The path and query of `jwks_uri`. Only these: the address in it may be one that only
    /// clients can reach, and a document must not send us anywhere else.
    pub fn jwks_path(openid: &Value) -> String {
        openid
            .get("jwks_uri")
            .and_then(Value::as_str)
            .and_then(|uri| uri.parse::<http::Uri>().ok())
            .and_then(|uri| uri.path_and_query().map(ToString::to_string))
            .unwrap_or_else(|| DEFAULT_JWKS.to_owned())
    }
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
    }

    #[test]
    fn other_documents_are_refused() {
        for wrong in [json!(null), json!([]), json!({"issuer": 5}), json!({"issuer": "https://a/IDP"})] {
            assert_eq!(Documents::assemble(wrong, None, None, Moment::default()), None);
        }
    }
}
