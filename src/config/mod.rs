//! From a TOML file to [`types::Config`], or to every mistake at once.
//!
//! ```text
//! file -> toml -> raw (keys, types, defaults; from the table in keys) -> convert (what values mean
//! together, files that they name) -> types::Config
//! ```
//!
//! [`reload`] notices changes and says which of them need a restart.

pub mod certificate;
mod complaint;
mod convert;
pub mod files;
pub mod keys;
mod raw;
pub mod reload;
pub mod types;
mod value;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use toml::de::DeTable;

pub use complaint::{Complaint, LoadError};
pub use value::show_time;

use complaint::Collector;
use convert::Context;
use types::Config;

/// Longer files are refused before they are parsed.
const LONGEST: u64 = 4 << 20;

/// After this many syntax errors the rest is noise.
const SYNTAX_ERRORS: usize = 20;

/// Reads and checks a configuration file and the files that it names.
pub fn load(path: &Path) -> Result<Config, LoadError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(LONGEST + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => parse(path, &bytes, SystemTime::now()),
        Err(error) => {
            let mut out = Collector::new(path, "");
            out.error(None, "", format!("cannot read it: {error}"), "name a readable file with --config");
            Err(refuse(path, out, Vec::new()))
        }
    }
}

/// Checks a configuration that was already read. `path` names it in complaints and is where
/// relative paths start; `now` decides which certificates are expired.
pub fn parse(path: &Path, bytes: &[u8], now: SystemTime) -> Result<Config, LoadError> {
    if bytes.len() as u64 > LONGEST {
        let mut out = Collector::new(path, "");
        out.error(None, "", format!("it is longer than {LONGEST} bytes"), "name a configuration file");
        return Err(refuse(path, out, Vec::new()));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            let mut out = Collector::new(path, &good);
            out.error(good.len(), "", "this is not UTF-8", "save the file as UTF-8 text");
            return Err(refuse(path, out, Vec::new()));
        }
    };
    let (root, syntax) = DeTable::parse_recoverable(text);
    let mut out = Collector::new(path, text);
    if !syntax.is_empty() {
        // The values of a file with broken syntax are guesses; complaints about them would mislead.
        for error in syntax.into_iter().take(SYNTAX_ERRORS) {
            let at = error.span().map(|s| s.start);
            let remedy = match error.message() {
                "duplicate key" => "keep one of the two",
                _ => "write key = value, and texts in quotes",
            };
            out.error(at, "", format!("not TOML: {}", error.message()), remedy);
        }
        return Err(refuse(path, out, Vec::new()));
    }
    let mut unbuilt = Vec::new();
    let root = raw::read(root.get_ref(), &mut out, &mut unbuilt);
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut cx = Context { out, base, now, files: Vec::new() };
    let config = convert::config(&root, path, &mut cx);
    convert::warn_unbuilt(&unbuilt, &mut cx);
    finish(path, config, cx)
}

fn finish(path: &Path, config: Option<Config>, cx: Context<'_>) -> Result<Config, LoadError> {
    let Context { mut out, files, .. } = cx;
    match config {
        Some(mut config) if !out.has_errors() => {
            config.warnings = out.finish().1.iter().map(ToString::to_string).collect();
            Ok(config)
        }
        _ => {
            if !out.has_errors() {
                // A part gave up without a word: our mistake, but never a silent one.
                out.error(None, "", "internal error: refused without a reason", "report this file");
            }
            Err(refuse(path, out, files))
        }
    }
}

fn refuse(path: &Path, out: Collector<'_>, mut files: Vec<PathBuf>) -> LoadError {
    files.push(path.to_owned());
    LoadError { complaints: out.finish().0, files }
}
