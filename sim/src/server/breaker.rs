//! Carries faults out: the part of them that needs sockets, in the right order.

use std::io;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::listener::{ListenerHandle, attach_drop_all};
use crate::faults::{BadInput, Fault, Lift, Mode, Once, Target};
use crate::instance::Instance;
use crate::stamp::Stamp;

/// Sets and lifts faults, one at a time.
pub struct Breaker {
    instance: Arc<Instance>,
    listener: Mutex<ListenerHandle>,
}

/// Why a fault cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BreakError {
    /// A member that only a running instance can judge.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// The system refuses the socket filter.
    #[error("this system refuses a drop-all socket filter: {0}")]
    Filter(io::Error),
    /// The port was taken by somebody else while the instance was stopped.
    #[error("the instance cannot listen again: {0}")]
    Bind(io::Error),
    /// The accept loop is gone.
    #[error("the listener does not obey: {0}")]
    Listener(io::Error),
}

impl Breaker {
    /// A breaker for a running instance.
    #[must_use]
    pub fn new(instance: Arc<Instance>, listener: ListenerHandle) -> Self {
        Self { instance, listener: Mutex::new(listener) }
    }

    /// Makes a fault active. When this returns, it works.
    ///
    /// # Errors
    /// When it cannot be had; then the target's last fault is gone too if it needed the same sockets.
    pub async fn set(&self, fault: Fault) -> Result<(), BreakError> {
        let listener = self.listener.lock().await;
        let whole = match &fault {
            Fault::Transport(Target::All, mode) => Some(mode.clone()),
            _ => None,
        };
        if let Some(mode) = &whole
            && self.instance.faults.whole().as_ref() != Some(mode)
        {
            self.repair(&listener).await?;
            match mode {
                Mode::Stop => listener.close().await.map_err(BreakError::Listener)?,
                Mode::Blackhole => listener.deaf(true).await.map_err(BreakError::Filter)?,
                _ => {}
            }
        }
        if let Fault::Once(Once::Restore(to)) = fault {
            self.instance.api.restore(Stamp::from_ticks(to))?;
        }
        if fault == Fault::Once(Once::Recycle) {
            // Before its sockets are closed: who comes back finds it down.
            self.instance.gateway.end();
        }
        self.instance.faults.set(fault);
        if let Some(mode) = whole {
            self.hit_connections(&mode);
        }
        Ok(())
    }

    /// Lifts faults.
    ///
    /// # Errors
    /// When the instance cannot listen again; the faults stay.
    pub async fn lift(&self, lift: Lift) -> Result<(), BreakError> {
        let listener = self.listener.lock().await;
        if self.instance.faults.whole().is_some_and(|mode| lift.fits(Target::All, mode.name())) {
            self.repair(&listener).await?;
        }
        self.instance.faults.lift(lift);
        Ok(())
    }

    fn hit_connections(&self, mode: &Mode) {
        for connection in self.instance.connections.list() {
            match mode {
                Mode::Stop => connection.cut(),
                Mode::Hang => connection.answers.set_closed(true),
                Mode::Blackhole => {
                    connection.packets.set_closed(true);
                    // The listener took the filter, so only a dead connection refuses it.
                    let _ = attach_drop_all(&connection.socket());
                }
                _ => {}
            }
        }
    }

    /// Undoes what the instance-wide fault did to the sockets, and takes it off the board.
    async fn repair(&self, listener: &ListenerHandle) -> Result<(), BreakError> {
        let Some(mode) = self.instance.faults.whole() else { return Ok(()) };
        if mode == Mode::Stop {
            listener.open().await.map_err(BreakError::Bind)?;
        }
        self.instance.faults.lift(Lift { target: Some(Target::All), mode: None });
        if mode == Mode::Blackhole {
            listener.deaf(false).await.map_err(BreakError::Listener)?;
        }
        for connection in self.instance.connections.list() {
            match mode {
                // An answer that waited must not come late.
                Mode::Hang if connection.answers.blocked() => connection.cut(),
                Mode::Hang => connection.answers.set_closed(false),
                Mode::Blackhole => {
                    let _ = connection.socket().detach_filter();
                    connection.packets.set_closed(false);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
