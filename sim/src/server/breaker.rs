//! Carries faults out: the part of them that needs sockets, in the right order.

use std::io;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::listener::{ListenerHandle, attach_drop_all};
use crate::faults::{Fault, Mode, Target};
use crate::instance::Instance;

/// Sets and lifts faults, one at a time.
pub struct Breaker {
    instance: Arc<Instance>,
    listener: Mutex<ListenerHandle>,
}

/// Why a fault cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BreakError {
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
        if fault.target == Target::All && self.instance.faults.whole().as_ref() != Some(&fault.mode) {
            self.repair(&listener).await?;
            match fault.mode {
                Mode::Stop => listener.close().await.map_err(BreakError::Listener)?,
                Mode::Blackhole => listener.deaf(true).await.map_err(BreakError::Filter)?,
                _ => {}
            }
        }
        self.instance.faults.set(fault.clone());
        if fault.target == Target::All {
            self.hit_connections(&fault.mode);
        }
        Ok(())
    }

    /// Lifts one target's fault or all faults.
    ///
    /// # Errors
    /// When the instance cannot listen again; the fault stays.
    pub async fn lift(&self, target: Option<Target>) -> Result<(), BreakError> {
        let listener = self.listener.lock().await;
        if target.is_none_or(|target| target == Target::All) {
            self.repair(&listener).await?;
        }
        self.instance.faults.lift(target);
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
        self.instance.faults.lift(Some(Target::All));
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
