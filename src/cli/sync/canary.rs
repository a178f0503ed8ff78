//! `sync canary --print`: needs no running gatekeeper.

use std::io::Write;

use crate::cli::Outcome;

pub(super) fn print() -> Outcome {
    match std::io::stdout().write_all(TEXT.as_bytes()) {
        Ok(()) => Outcome::Done,
        Err(_) => Outcome::Failed,
    }
}

const TEXT: &str = "\
A canary is an object that nobody has a reason to touch. When it changes or vanishes, the database under the
instance was restored, replaced, encrypted or tampered with, and nothing of that instance is believed.

On each instance, in the Management Client: Rules and Events > Analytics Events > Add New,
  Name:         gatekeeper-canary
  Description:  any text, for example the date; do not change it afterwards

or through its API, with the token of an administrator:
  curl -X POST https://INSTANCE/API/rest/v1/analyticsEvents -H \"Authorization: Bearer $TOKEN\" \\
    -H \"Content-Type: application/json\" -d '{\"name\": \"gatekeeper-canary\", \"description\": \"made 2026-01-31\"}'

With [sync] canary = \"watch\" (default) it counts from the first time that it was seen; with \"required\" an instance
without one is never trusted. The gatekeeper never copies it.
";
