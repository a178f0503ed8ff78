//! What a token costs at the edge: `nice cargo bench --bench tokens`. Time of one request's share on one core.
//!
//! The token is as long as those of the VMS. `known` is fingerprint, look-up and all that may have changed since it was
//! found good; `new` checks the signature, too. It does not show what waiting for keys costs.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use gatekeeper::balance::Picture;
use gatekeeper::clock::{Moment, unix_seconds};
use gatekeeper::config::types::SiteId;
use gatekeeper::session::issued::Hash;
use gatekeeper::session::verdicts::Verdicts;
use gatekeeper::vms::documents::Documents;
use serde_json::json;

#[path = "../tests/support/plain.rs"]
mod plain;
#[path = "../tests/support/signer.rs"]
#[allow(dead_code, reason = "the benchmark needs a part of it only")]
mod signer;

use signer::{Signer, claims};

fn tokens(criterion: &mut Criterion) {
    let mut picture = Picture::initial(Arc::new(plain::config()), Vec::new(), Moment::default());
    let keys = [Signer::rsa("A"), Signer::rsa("B"), Signer::p256("C")];
    let issuer = |n: usize| format!("https://vms-{n}.example/IDP");
    picture.documents = keys[..2]
        .iter()
        .enumerate()
        .map(|(n, key)| {
            let openid = json!({"issuer": issuer(n), "token_endpoint": "t"});
            let jwks = json!({"keys": [key.jwk(), keys[2].jwk()]});
            Documents::assemble(openid, Some(jwks), None, Moment::default()).map(Arc::new)
        })
        .collect();
    let now = unix_seconds();
    let of = |key: &Signer, algorithm, n| key.token(algorithm, &claims(&issuer(n), now));
    let mut group = criterion.benchmark_group("token");
    for (name, token) in [
        ("RS256", of(&keys[1], "RS256", 1)),
        ("PS256", of(&keys[1], "PS256", 1)),
        ("ES256", of(&keys[2], "ES256", 1)),
    ] {
        let check = |verdicts: &Verdicts| {
            let hash = Hash::of(black_box(&token).as_bytes());
            verdicts.check(&picture, SiteId(0), &token, hash, unix_seconds()).unwrap()
        };
        let verdicts = Verdicts::default();
        check(&verdicts);
        group.bench_function(format!("known/{name}/{} bytes", token.len()), |b| b.iter(|| check(&verdicts)));
        group.bench_function(format!("new/{name}"), |b| b.iter(|| check(&Verdicts::default())));
    }
    group.finish();
}

criterion_group!(benches, tokens);
criterion_main!(benches);
