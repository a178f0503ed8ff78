use std::net::TcpListener;

use super::support::{Sim, command};

#[test]
fn serves_until_sigterm() {
    let sim = Sim::start(&["--control", "127.0.0.1:0", "--cameras", "3"]);
    assert_ne!(sim.listener.port(), 0);
    let state = sim.get("/state");
    assert_eq!(state["name"], "A");
    assert_eq!(state["services"]["events"], "ok");
    assert!(state["objects"].is_object() && state["sessions"].is_u64());
    assert!(sim.get("/writes").is_array());
    assert_eq!(sim.terminate(), Some(0));
}

#[test]
fn failures_are_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&["--name", "A", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let file = file.to_str().unwrap();
    let listen = ["--name", "A", "--listen", "127.0.0.1:0", "--tls-cert", file, "--tls-key", file];
    let output = command(&listen).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.pem"));
    assert!(output.stdout.is_empty());
}

#[test]
fn usage() {
    assert_eq!(command(&["--listen", "127.0.0.1:0"]).output().unwrap().status.code(), Some(2));
    let help = command(&["--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8(help.stdout).unwrap();
    for part in ["Examples:", "hidden=", "ess-resume-window", "--version <VERSION>"] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}
