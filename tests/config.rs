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
use std::process::ExitCode;

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

#[test]
fn check_answers_with_its_exit_code() {
    // `ExitCode` has no accessor; its debug form tells codes apart.
    let code = |text: &str| {
        let world = World::new();
        world::write(&world.path("gatekeeper.toml"), text, 0o644);
        format!("{:?}", gatekeeper::cli::check::check(&world.path("gatekeeper.toml")))
    };
    let good = "
        instance = [{ name = 'a', url = 'http://a' }]
        site = [{ name = 'hq', hosts = ['*'], primary = 'a' }]
    ";
    assert_eq!(code(good), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(code("colour = 1"), format!("{:?}", ExitCode::from(2)));
}

#[test]
fn bytes_that_are_no_text_are_found_on_their_line() {
    let world = World::new();
    let error = world.parse(b"[health]\nrise = \"\xff\"\n").unwrap_err();
    assert_eq!((error.complaints[0].line, error.complaints[0].column), (Some(2), Some(9)));
    assert!(error.to_string().ends_with("gatekeeper.toml:2: this is not UTF-8; save the file as UTF-8 text"));
}

#[test]
fn a_file_without_end_is_refused() {
    let error = World::new().parse(&vec![b'#'; 5 << 20]).unwrap_err();
    assert!(error.to_string().contains("it is longer than 4194304 bytes"), "{error}");
}

#[test]
fn thousands_of_sites_are_read_in_no_time() {
    let mut text =
        "instance = [{ name = 'a', url = 'http://a' }, { name = 'b', url = 'http://b' }]\n".to_owned();
    for n in 0..5000 {
        text +=
            &format!("[[site]]\nname = 's{n}'\nhosts = ['h{n}.example']\nprimary = 'a'\nstandby = ['b']\n");
    }
    let config = World::new().parse(text.as_bytes()).unwrap();
    assert_eq!(config.sites.len(), 5000);
}
