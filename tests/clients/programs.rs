//! What the clients run in: a virtual environment of Python and packages of Node, made once under `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::gatekeeper::text;

/// The folder of the client scripts.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The interpreter with the packages of `requirements.txt`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients-venv");
        let python = venv.join("bin/python");
        made_for(&venv, "requirements.txt", || {
            let install = "install Python with: apt-get install python3 python3-venv";
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv), install);
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
            run(pip.arg(here().join("requirements.txt")), "pip needs PyPI once");
        });
        python
    })
}

/// A copy of the scripts for Node with the packages of `package-lock.json` beside them.
pub fn node() -> &'static Path {
    static NODE: OnceLock<PathBuf> = OnceLock::new();
    NODE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients-node");
        made_for(&folder, "package-lock.json", || {
            fs::create_dir_all(&folder).unwrap();
            for name in ["package.json", "package-lock.json"] {
                fs::copy(here().join(name), folder.join(name)).unwrap();
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder);
            run(&mut npm, "install Node with: apt-get install nodejs npm; npm needs the npm registry once");
        });
        // The scripts themselves change more often than the packages.
        copy_scripts(&here(), &folder);
        folder
    })
}

/// The version that a program says it has, without its name.
pub fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let output =
        output.unwrap_or_else(|e| panic!("{program}: {e}; .ci/run lists the packages that the tests need"));
    let said = text(&output.stdout);
    let number = said
        .split_whitespace()
        .find(|word| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()));
    number.unwrap_or("?").trim_start_matches('v').to_owned()
}

/// The version that `requirements.txt` or `package-lock.json` pins.
pub fn pinned(package: &str) -> String {
    let list = fs::read_to_string(here().join("requirements.txt")).unwrap();
    let found = list.lines().find_map(|line| {
        line.split_once("==")
            .filter(|(name, _)| name.eq_ignore_ascii_case(package))
            .map(|(_, version)| version)
    });
    if let Some(version) = found {
        return version.trim().to_owned();
    }
    let lock = fs::read_to_string(here().join("package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let version = lock["packages"][format!("node_modules/{package}")]["version"].as_str();
    version.unwrap_or_else(|| panic!("{package} is pinned nowhere")).to_owned()
}

/// Calls `make` unless the folder was made for this very list of packages.
fn made_for(folder: &Path, list: &str, make: impl FnOnce()) {
    let wanted = fs::read_to_string(here().join(list)).unwrap();
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return;
    }
    let _ = fs::remove_dir_all(folder);
    make();
    fs::write(stamp, wanted).unwrap();
}

fn copy_scripts(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() && entry.file_name() == "page" {
            fs::create_dir_all(&target).unwrap();
            for page in fs::read_dir(entry.path()).unwrap().map(Result::unwrap) {
                fs::copy(page.path(), target.join(page.file_name())).unwrap();
            }
        } else if entry.path().extension().is_some_and(|kind| kind == "mjs") {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(command: &mut Command, help: &str) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}\n{help}"));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{err}\n{help}");
}
