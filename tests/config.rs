//! The configuration from outside: each mistake has a data file, the documents match the table of
//! keys, and no input makes the reader panic or point at the wrong line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "config/documents.rs"]
mod documents;
#[path = "config/garble.rs"]
mod garble;
#[path = "config/world.rs"]
mod world;

use std::path::{Path, PathBuf};

use world::World;

/// `NAME.toml` is loaded among the files of [`World`]; `NAME.expected` holds every complaint, or
/// `ok` and the warnings. A new case is a new pair of files. `UPDATE_CASES=1` writes what is said
/// now into the `.expected` files, to be read before it is committed.
#[test]
fn every_case_says_what_is_expected() {
    let world = World::new();
    let mut wrong = Vec::new();
    for toml in cases() {
        let name = toml.file_stem().unwrap().to_string_lossy().into_owned();
        let said = world.say(&std::fs::read(&toml).unwrap());
        let expected_file = toml.with_extension("expected");
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&expected_file, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{name}\n--- expected\n{expected}--- said\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    cases.sort();
    assert!(cases.len() > 50, "the cases are gone");
    cases
}

#[test]
fn a_missing_file_is_a_complaint() {
    let error = gatekeeper::config::load(Path::new("/nowhere/gatekeeper.toml")).unwrap_err();
    assert!(
        error.to_string().starts_with("/nowhere/gatekeeper.toml: cannot read it: No such file"),
        "{error}"
    );
}

#[test]
fn a_refused_configuration_says_which_files_it_named() {
    let world = World::new();
    let error = world
        .parse(b"[listener]\ncertificate = 'certs/late.pem'\nprivate_key = 'certs/vms.key'\n")
        .unwrap_err();
    assert!(error.files.contains(&world.path("certs/late.pem")));
}
