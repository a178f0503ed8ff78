//! An instance that an operator has put into quarantine: nothing may connect to it, and what is
//! connected has to end now.
//!
//! The flag stands at the one place through which every connection to an instance is made
//! ([`super::connect::Target`]), so that no part of the program can forget it.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether an instance is in quarantine now. Shared by all parts that talk to it; survives a reload
/// that leaves the instance as it was.
#[derive(Debug, Default)]
pub struct Ban {
    raised: AtomicBool,
    news: Notify,
}

impl Ban {
    /// Raises or lifts it.
    pub fn set(&self, raised: bool) {
        self.raised.store(raised, Ordering::SeqCst);
        if raised {
            self.news.notify_waiters();
        }
    }

    /// Nothing may go to the instance.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Ends when it is raised. For connections of the control plane: each poll takes a lock, which a
    /// data plane connection must not pay for.
    pub async fn raised(&self) {
        loop {
            let mut news = pin!(self.news.notified());
            // From here on nothing is missed.
            news.as_mut().enable();
            if self.is_raised() {
                return;
            }
            news.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_hears_of_it_and_whoever_comes_later_too() {
        let ban = Arc::new(Ban::default());
        assert!(ban.raised().now_or_never().is_none());
        let waiting = tokio::spawn({
            let ban = Arc::clone(&ban);
            async move { ban.raised().await }
        });
        tokio::task::yield_now().await;
        ban.set(true);
        assert!(waiting.await.is_ok());
        assert!(ban.raised().now_or_never().is_some());
        ban.set(false);
        assert!(!ban.is_raised());
        assert!(ban.raised().now_or_never().is_none());
    }
}
