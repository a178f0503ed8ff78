//! A program under test: started, waited for, signalled, and gone when the test ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running program that has printed its `ready {...}` line.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
    printed: Arc<Mutex<String>>,
    /// What stood in the `ready` line.
    pub ready: Value,
}

/// A program that ended before it was ready.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub log: String,
}

impl Process {
    /// Starts `command` and waits for its `ready` line.
    pub fn start(name: &str, command: &mut Command) -> Result<Self, Ended> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let keep = Arc::clone(&log);
        let errors = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = keep.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        let printed = Arc::new(Mutex::new(String::new()));
        let keep = Arc::clone(&printed);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                keep.lock().unwrap().push_str(&line);
                if let Some(json) = line.strip_prefix("ready ") {
                    let _ = tell.send(serde_json::from_str(json).unwrap());
                }
            }
        });
        match told.recv_timeout(Duration::from_secs(60)) {
            Ok(ready) => Ok(Self { name: name.to_owned(), child, log, printed, ready }),
            Err(why) => {
                // On a time-out it still runs, otherwise its end closed the pipe.
                if matches!(why, mpsc::RecvTimeoutError::Timeout) {
                    let _ = child.kill();
                }
                let code = child.wait().unwrap().code();
                errors.join().unwrap();
                let log = log.lock().unwrap().clone();
                Err(Ended { code, log })
            }
        }
    }

    /// An address from the `ready` line.
    pub fn address(&self, key: &str) -> std::net::SocketAddr {
        let text = self.ready[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.ready));
        text.parse().unwrap_or_else(|e| panic!("{key} = {text}: {e}"))
    }

    /// Sends a signal by its name, e.g. `HUP`.
    pub fn signal(&self, name: &str) {
        let done = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(done.is_ok_and(|s| s.success()), "cannot send {name} to {}", self.name);
    }

    /// Ends it the hard way (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended; fails the test if it is still there after `limit`.
    pub fn exit(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < limit, "{} still runs after {limit:?}", self.name);
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Everything it wrote to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Everything it wrote to stdout so far, the `ready` line included.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(6000);
            let from = (from..log.len()).find(|i| log.is_char_boundary(*i)).unwrap_or(0);
            eprintln!("---- stderr of {} (its end) ----\n{}", self.name, &log[from..]);
        }
    }
}
