//! The other side of `rounds.py` and `rounds.mjs`: runs a script, reads its rounds, asks for another one.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;

/// Where a client finds its VMS and whom it trusts.
pub struct Target {
    pub url: String,
    pub ca: PathBuf,
}

impl Target {
    pub fn sim(sim: &Sim) -> Self {
        Self { url: sim.url(), ca: sim.ca_file().unwrap() }
    }

    pub fn gatekeeper(gatekeeper: &Gatekeeper) -> Self {
        let ca = gatekeeper.ca.write(gatekeeper.dir.path());
        Self { url: format!("https://{}", gatekeeper.listener()), ca }
    }
}

/// What came of one round of calls.
#[derive(Debug)]
pub struct Round {
    /// Calls, and what went wrong with those that failed.
    pub calls: Vec<(String, Option<String>)>,
    /// Logins since the start.
    pub logins: u64,
}

/// A client script at work.
pub struct Script {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// A browser takes its time to start on a busy machine.
const LONGEST_ROUND: Duration = Duration::from_secs(180);

impl Script {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        let input = child.stdin.take();
        Self { child, input, lines }
    }

    /// Waits for the end of a round.
    pub fn round(&self) -> Result<Round, String> {
        loop {
            let line = self.lines.recv_timeout(LONGEST_ROUND).map_err(|e| format!("no round came: {e}"))?;
            let Some(json) = line.strip_prefix("round ") else { continue };
            let round: Value = serde_json::from_str(json).map_err(|e| format!("{e}: {line}"))?;
            let calls = round["calls"].as_object().ok_or_else(|| format!("no calls: {line}"))?;
            let outcome = |value: &Value| value.as_str().filter(|text| *text != "ok").map(str::to_owned);
            let calls = calls.iter().map(|(name, value)| (name.clone(), outcome(value))).collect();
            return Ok(Round { calls, logins: round["logins"].as_u64().unwrap_or(0) });
        }
    }

    /// Asks for another round.
    pub fn again(&mut self) {
        // A script that has ended says so when its round does not come.
        let _ = self.input.as_mut().map(|input| input.write_all(b"again\n"));
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // The end of its input ends a script; one that does not listen is stopped.
        self.input = None;
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Round {
    pub fn good(&self) -> usize {
        self.calls.iter().filter(|(_, failure)| failure.is_none()).count()
    }

    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.calls.iter().filter_map(|(name, failure)| Some(format!("{name}: {}", failure.as_ref()?)))
    }
}
