//! Runs the stored corpus through the bodies of the fuzz targets (`fuzz/Cargo.toml` says how to look for more).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/bodies.rs"]
mod bodies;

use std::panic::catch_unwind;
use std::path::Path;

type Target = (&'static str, fn(&[u8]));

#[test]
fn the_corpus_holds() {
    let targets: [Target; 5] = [
        ("token", bodies::token),
        ("jwks", bodies::jwks),
        ("token_request", bodies::token_request),
        ("token_answer", bodies::token_answer),
        ("cookies", bodies::cookies),
    ];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut broken = Vec::new();
    for (name, body) in targets {
        let files: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.len() >= 10, "{name} has {} cases only", files.len());
        let bytes = files.iter().map(|file| (file.as_path(), std::fs::read(file).unwrap()));
        for (file, bytes) in bytes.chain([(Path::new("nothing"), Vec::new())]) {
            if catch_unwind(|| body(&bytes)).is_err() {
                broken.push(format!("{name}: {}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
