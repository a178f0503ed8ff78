//! Logging: one line per fact, to stderr, so that stdout stays free for the `ready` line and for
//! what a command prints.
//!
//! Levels say what a person must do about a line, not how interesting it is:
//!
//! | Level | Meaning | Example |
//! |---|---|---|
//! | `error` | something does not work and stays so until a person acts | the state store cannot be written |
//! | `warn` | it works, but a person should look soon | an instance is down and a standby serves |
//! | `info` | a fact worth keeping; nobody has to act | a service returned to its primary; a reload |
//! | `debug` | for whoever looks for the cause of something | each probe, each retry |
//! | `trace` | for developers | state of single connections |
//!
//! A line never carries a password, a token, a cookie or the value of an `Authorization` header at
//! any level: secrets are held in `secrecy` types, whose `Debug` shows nothing.
//!
//! Format: for people on a terminal, JSON lines otherwise (a log collector reads them). The
//! variable [`FILTER`] selects levels in `tracing`'s syntax, e.g. `warn,gatekeeper::health=debug`.

use std::io::{self, IsTerminal, Write};

use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Environment variable with the filter; `info` when it is not set or empty.
pub const FILTER: &str = "GATEKEEPER_LOG";

/// Why logging could not be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// The variable holds something that is no filter.
    #[error(
        "{FILTER} = {value:?} is not a log filter ({cause}); use for example GATEKEEPER_LOG=warn,gatekeeper::health=debug"
    )]
    Filter {
        /// What the variable holds.
        value: String,
        /// The parser's complaint.
        cause: tracing_subscriber::filter::ParseError,
    },
    /// Logging was set up before, in this process.
    #[error("logging is already set up")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns and, on a terminal, colours.
    Human,
    /// One JSON object per line.
    Json,
}

impl Format {
    /// What suits the process's stderr.
    pub fn of_stderr() -> Self {
        if io::stderr().is_terminal() { Self::Human } else { Self::Json }
    }
}

/// Sets up logging for the process: stderr, the format that suits it, the filter of [`FILTER`].
pub fn init() -> Result<(), LogError> {
    let filter = std::env::var(FILTER).unwrap_or_default();
    subscriber(&filter, Format::of_stderr(), io::stderr)?.try_init().map_err(LogError::Twice)
}

/// A subscriber that writes to `writer`; apart from [`init`] so that tests can read the lines.
fn subscriber<W>(
    filter: &str,
    format: Format,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'w> MakeWriter<'w, Writer: Write> + Send + Sync + 'static,
{
    let spec = if filter.trim().is_empty() { "info" } else { filter };
    let env = EnvFilter::try_new(spec).map_err(|cause| LogError::Filter { value: spec.to_owned(), cause })?;
    let builder = tracing_subscriber::fmt().with_env_filter(env).with_writer(writer);
    Ok(match format {
        Format::Human => Box::new(builder.with_target(false).finish()),
        // Fields stay at the top level: collectors index them without a path.
        Format::Json => Box::new(builder.json().flatten_event(true).with_current_span(false).finish()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: Format) -> String {
        let lines = Lines::default();
        let sink = lines.clone();
        let sub = subscriber(filter, format, move || sink.clone()).unwrap();
        tracing::subscriber::with_default(sub, || {
            tracing::info!(instance = "a", "probe passed");
            tracing::debug!("detail");
            let token = secrecy::SecretString::from("s3cret-value");
            tracing::warn!(?token, "with a secret");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_carry_flat_fields_and_no_secret() {
        let text = logged("", Format::Json);
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["message"], "probe passed");
        assert_eq!(first["instance"], "a");
        assert_eq!(text.lines().count(), 2, "debug is off by default: {text}");
        assert!(!text.contains("s3cret-value"));
    }

    #[test]
    fn filter_is_honoured_and_human_lines_are_plain() {
        let text = logged("debug", Format::Human);
        assert!(text.contains("detail"), "{text}");
        assert!(!text.starts_with('{'));
    }

    #[test]
    fn a_bad_filter_is_explained() {
        let Err(e) = subscriber("gatekeeper=loud", Format::Json, io::stderr) else {
            panic!("accepted a level that does not exist");
        };
        assert!(e.to_string().contains("GATEKEEPER_LOG"), "{e}");
    }
}
