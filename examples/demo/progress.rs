//! What happens now, on stderr: one line that changes on a terminal, a line per step otherwise.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::gauge::Gauge;
use super::record::Journal;

/// Shows the steps of a run.
pub struct Progress {
    terminal: bool,
    begin: Instant,
    step: Arc<Mutex<String>>,
    ticker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { terminal, begin: Instant::now(), step: Arc::default(), ticker: None }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        // Nobody to tell when stderr is gone.
        let _ = if self.terminal {
            writeln!(std::io::stderr(), "\r\x1b[K{text}")
        } else {
            writeln!(std::io::stderr(), "{text}")
        };
    }

    /// A new step begins.
    pub fn step(&self, text: impl Into<String>) {
        let text = text.into();
        let line = format!("{:5.1} s  {text}", self.begin.elapsed().as_secs_f64());
        if !self.terminal {
            self.say(&line);
        } else if self.ticker.is_none() {
            overwrite(&line);
        }
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// From now on the line also shows the load and who serves `service`.
    pub fn follow(&mut self, journal: Arc<Journal>, gauge: Arc<Gauge>, service: &'static str) {
        self.rest();
        if !self.terminal {
            return;
        }
        let (step, begin) = (Arc::clone(&self.step), self.begin);
        self.ticker = Some(tokio::spawn(async move {
            loop {
                let (requests, failed, logins) = journal.sums();
                let serving = gauge.now().serving();
                let by = serving.get(service).map_or("nobody", String::as_str);
                let step = step.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let line = format!(
                    "{:5.1} s  {step}: {requests} requests, {failed} failed, {logins} re-logins, served by {by}",
                    begin.elapsed().as_secs_f64(),
                );
                overwrite(&line);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }));
    }

    /// Clears the line.
    pub fn rest(&mut self) {
        if let Some(ticker) = self.ticker.take() {
            ticker.abort();
        }
        if self.terminal {
            overwrite("");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.rest();
    }
}

/// Puts `line` in place of the terminal's current one.
fn overwrite(line: &str) {
    let mut out = std::io::stderr();
    // Nobody to tell when stderr is gone.
    let _ = write!(out, "\r\x1b[K{line}").and_then(|()| out.flush());
}
