//! What every command against a running gatekeeper has in common: connect, ask, print, exit code.

use std::io::Write;

use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::{Outcome, Remote};

/// One command: what it asks, and how its answer reads.
pub(super) trait Ask {
    /// The exchange.
    async fn ask(&self, client: &Client) -> Result<Value, ClientError>;

    /// The answer for people.
    fn show(&self, answer: &Value) -> String;

    /// What the answer means for the exit code.
    fn outcome(&self, _answer: &Value) -> Outcome {
        Outcome::Done
    }
}

/// Does a command and prints its answer on stdout, its error on stderr.
pub(super) fn perform(remote: &Remote, command: impl Ask) -> Outcome {
    match exchange(remote, &command) {
        Ok(answer) => {
            print(&if remote.json { pretty(&answer) } else { command.show(&answer) });
            command.outcome(&answer)
        }
        Err(error) => {
            if remote.json {
                print(&pretty(&as_json(&error)));
            }
            let _ = writeln!(std::io::stderr(), "gatekeeper: {error}");
            if error.is_usage() { Outcome::Usage } else { Outcome::Failed }
        }
    }
}

fn exchange(remote: &Remote, command: &impl Ask) -> Result<Value, ClientError> {
    let client = Client::new(&remote.admin, &remote.token_file, remote.ca.as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Runtime)?;
    runtime.block_on(command.ask(&client))
}

/// The same shape as the admin API's errors, so that a script reads one.
fn as_json(error: &ClientError) -> Value {
    match error {
        ClientError::Refused(r) => {
            json!({"error": {"code": r.code, "message": r.message, "remedy": r.remedy}})
        }
        other => json!({"error": {"code": other.code(), "message": other.to_string(), "remedy": ""}}),
    }
}

fn pretty(value: &Value) -> String {
    // A `Value` always has a text form; `{:#}` is its indented one.
    format!("{value:#}\n")
}

fn print(text: &str) {
    // A closed pipe (`| head`) is no error of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// A text member of an answer; empty if it is not there.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A list member of an answer; empty if it is not there.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}
