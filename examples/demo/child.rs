//! The demo starts itself again, by a hidden first argument, for each instance and for the gatekeeper: a kill
//! is then a kill of a process. No child outlives the demo, however that ends.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A simulated VMS.
    Instance,
    /// The gatekeeper.
    Gatekeeper,
}

impl Role {
    const fn argument(self) -> &'static str {
        match self {
            Self::Instance => "__instance",
            Self::Gatekeeper => "__gatekeeper",
        }
    }
}

/// Runs this process as a child if its arguments say so.
pub fn run_as_child(mut args: Vec<OsString>) -> Result<ExitCode, Vec<OsString>> {
    let is = |role: Role| args.get(1).is_some_and(|first| first == role.argument());
    let role = [Role::Instance, Role::Gatekeeper].into_iter().find(|role| is(*role));
    let Some(role) = role else { return Err(args) };
    args.remove(1);
    end_with_parent();
    Ok(match role {
        Role::Instance => xprotect_sim::cli::run_from(args),
        Role::Gatekeeper => gatekeeper::cli::run_from(args),
    })
}

/// The demo holds the other end of our standard input. The kernel closes it when the demo ends, also by
/// SIGKILL, which no handler of the demo could see.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        // Nothing is ever written; an error means as much as the end.
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
}

/// What a command said.
#[derive(Debug)]
pub struct Told {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard error.
    pub text: String,
}

impl Told {
    /// What it is about.
    pub fn first_line(&self) -> String {
        self.text.lines().next().unwrap_or_default().to_owned()
    }
}

/// Runs a command of the gatekeeper to its end. Blocks.
pub fn tell(args: &[OsString]) -> anyhow::Result<Told> {
    let mut process = Command::new(std::env::current_exe().context("the path of the demo itself")?)
        .arg(Role::Gatekeeper.argument())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a child process")?;
    // Closed, it would end the command at once.
    let alive = process.stdin.take();
    let output = process.wait_with_output().context("wait")?;
    drop(alive);
    Ok(Told { code: output.status.code(), text: String::from_utf8_lossy(&output.stderr).into_owned() })
}

/// A running child; dropping it ends it.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    /// What it printed after `ready`.
    pub ready: Value,
}

impl Child {
    /// Starts a child and waits until it says that it serves. Blocks. `log` takes its standard error.
    pub fn start(role: Role, log: &Path, args: &[OsString]) -> anyhow::Result<Self> {
        let log_file = File::options().create(true).append(true).open(log);
        let process = Command::new(std::env::current_exe().context("the path of the demo itself")?)
            .arg(role.argument())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file.with_context(|| log.display().to_string())?)
            // Ctrl-C on the terminal reaches the demo alone, which then ends its children in order.
            .process_group(0)
            .spawn()
            .context("cannot start a child process")?;
        let mut child = Self { process, ready: Value::Null };
        child.ready = child.wait_ready().with_context(|| {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            format!("{role:?} did not start; the end of {}:\n{}", log.display(), tail(&text))
        })?;
        Ok(child)
    }

    fn wait_ready(&mut self) -> anyhow::Result<Value> {
        let stdout = self.process.stdout.take().context("no standard output")?;
        let (sender, receiver) = mpsc::channel();
        // Reads to the end: a child must never block on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(json) = line.strip_prefix("ready ") {
                    // Nobody listens any more when it came too late.
                    let _ = sender.send(json.to_owned());
                }
            }
        });
        match receiver.recv_timeout(START_LIMIT) {
            Ok(json) => serde_json::from_str(&json).context("the ready line"),
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("no ready line within {START_LIMIT:?}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("it ended at once"),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().context("kill")?;
        self.process.wait().context("wait")?;
        Ok(())
    }

    /// Whether somebody has ended it.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let limit = Instant::now() + STOP_LIMIT;
        while !self.has_ended() {
            if Instant::now() > limit {
                // Fails only when it has just ended by itself.
                let _ = self.kill();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The last lines of a log.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(1);
