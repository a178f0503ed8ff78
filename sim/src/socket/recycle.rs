//! The gateway's recycling (protocol sheet 4.5, 8.5): IIS restarts its worker process now and then. Every events and
//! messages socket is closed, and the next one waits until the gateway is up again; sessions are elsewhere and survive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::faults::{Fault, Once};
use crate::instance::Instance;
use crate::settings::Settings;
use crate::switches::{RECYCLE, RECYCLE_START};

/// The worker process behind the sockets.
pub struct Gateway {
    start: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// Nobody has asked for it since it ended.
    Down,
    /// Up from this moment on.
    Up(Instant),
}

impl Gateway {
    /// A gateway that is up.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let start = Duration::from_millis(settings.switches.number(&RECYCLE_START).min(3_600_000));
        Self { start, state: Mutex::new(State::Up(Instant::now())) }
    }

    /// Ends it.
    pub fn end(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Down;
    }

    /// Returns when it is up; the first who asks starts it.
    pub async fn up(&self) {
        tokio::time::sleep_until(self.starts(Instant::now())).await;
    }

    fn starts(&self, now: Instant) -> Instant {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let up = match *state {
            State::Down => now + self.start,
            State::Up(from) => from,
        };
        *state = State::Up(up);
        up
    }
}

/// Recycles whenever the process gets older by what the switch says.
pub async fn run(instance: Arc<Instance>) {
    let seconds = instance.api.settings().switches.number(&RECYCLE);
    // A century is as good as never, and fits every clock.
    let Some(age) = (seconds > 0).then(|| Duration::from_secs(seconds.min(3_153_600_000))) else { return };
    loop {
        tokio::time::sleep(age).await;
        tracing::info!("the gateway is recycled");
        instance.gateway.end();
        instance.faults.set(Fault::Once(Once::Recycle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_who_asks_starts_it() {
        let gateway = Gateway::new(&Settings::default());
        let now = Instant::now();
        assert!(gateway.starts(now) <= now);
        gateway.end();
        let up = gateway.starts(now);
        assert_eq!(up, now + Duration::from_secs(5));
        assert_eq!(gateway.starts(now + Duration::from_secs(2)), up, "the others wait with it");
    }
}
