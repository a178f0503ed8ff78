//! Who is subscribed to what. A message goes into a bounded mailbox for each subscriber, so that one who does
//! not read never holds up the others: it is thrown out.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::server::wire::Connection;

/// A published message.
#[derive(Debug, PartialEq)]
pub struct Post {
    /// Where.
    pub topic: String,
    /// What.
    pub data: Value,
}

/// All subscriptions of the instance.
#[derive(Default)]
pub struct Hub {
    topics: Mutex<HashMap<String, HashMap<u64, Mailbox>>>,
    last: AtomicU64,
    sockets: AtomicUsize,
    slow: AtomicU64,
}

#[derive(Clone)]
struct Mailbox {
    posts: mpsc::Sender<Arc<Post>>,
    connection: Weak<Connection>,
}

/// A socket's place in the hub; leaving ends its subscriptions.
pub struct Seat {
    hub: Arc<Hub>,
    id: u64,
    mailbox: Mailbox,
    posts: mpsc::Receiver<Arc<Post>>,
    topics: HashSet<String>,
}

/// The socket has as many subscriptions as it may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Too many subscriptions.")]
pub struct TooMany;

/// More subscriptions are a client's mistake.
const MOST_TOPICS: usize = 1_000;

impl Hub {
    /// A place for a socket, with room for this many messages that it has not read.
    pub fn sit(self: &Arc<Self>, room: usize, connection: Weak<Connection>) -> Seat {
        let (sender, posts) = mpsc::channel(room.max(1));
        self.sockets.fetch_add(1, Ordering::Relaxed);
        Seat {
            hub: Arc::clone(self),
            id: self.last.fetch_add(1, Ordering::Relaxed),
            mailbox: Mailbox { posts: sender, connection },
            posts,
            topics: HashSet::new(),
        }
    }

    /// Hands a message to every subscriber of its topic, in the same order to all.
    pub fn publish(&self, post: Post) {
        let post = Arc::new(post);
        let mut topics = self.lock();
        let Some(readers) = topics.get(&post.topic) else { return };
        let full = readers.iter().filter(|(_, reader)| reader.posts.try_send(Arc::clone(&post)).is_err());
        for (id, reader) in full.map(|(id, reader)| (*id, reader.clone())).collect::<Vec<_>>() {
            self.slow.fetch_add(1, Ordering::Relaxed);
            for readers in topics.values_mut() {
                readers.remove(&id);
            }
            // A close frame would wait behind everything that is not read.
            if let Some(connection) = reader.connection.upgrade() {
                connection.cut();
            }
        }
    }

    /// Open sockets.
    pub fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    /// Sockets that were thrown out because they did not read.
    pub fn slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<u64, Mailbox>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Subscribes; a second time changes nothing.
    ///
    /// # Errors
    /// When there are too many subscriptions.
    pub fn subscribe(&mut self, topic: String) -> Result<(), TooMany> {
        if self.topics.len() >= MOST_TOPICS && !self.topics.contains(&topic) {
            return Err(TooMany);
        }
        self.hub.lock().entry(topic.clone()).or_default().insert(self.id, self.mailbox.clone());
        self.topics.insert(topic);
        Ok(())
    }

    /// Publishes, to this socket too.
    pub fn publish(&self, post: Post) {
        self.hub.publish(post);
    }

    /// The next message of a subscribed topic.
    pub async fn next(&mut self) -> Option<Arc<Post>> {
        self.posts.recv().await
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut topics = self.hub.lock();
        for topic in &self.topics {
            if let Some(readers) = topics.get_mut(topic) {
                readers.remove(&self.id);
                if readers.is_empty() {
                    topics.remove(topic);
                }
            }
        }
        self.hub.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn post(topic: &str, data: i32) -> Post {
        Post { topic: topic.into(), data: data.into() }
    }

    #[tokio::test]
    async fn who_reads_gets_everything_and_who_does_not_is_out() {
        let hub = Arc::new(Hub::default());
        let (mut reader, mut idler) = (hub.sit(2, Weak::new()), hub.sit(2, Weak::new()));
        for seat in [&mut reader, &mut idler] {
            seat.subscribe("a".into()).unwrap();
            seat.subscribe("a".into()).unwrap();
        }
        for n in 0..5 {
            reader.publish(post("a", n));
            reader.publish(post("b", n));
            assert_eq!(*reader.next().await.unwrap(), post("a", n));
        }
        assert_eq!((hub.sockets(), hub.slow()), (2, 1));
        assert_eq!(hub.lock()["a"].len(), 1);
        drop((reader, idler));
        assert_eq!(hub.sockets(), 0);
        assert!(hub.lock().is_empty());
    }

    #[test]
    fn subscriptions_are_bounded() {
        let hub = Arc::new(Hub::default());
        let mut seat = hub.sit(1, Weak::new());
        for n in 0..MOST_TOPICS {
            seat.subscribe(n.to_string()).unwrap();
        }
        assert_eq!(seat.subscribe("more".into()), Err(TooMany));
        assert_eq!(seat.subscribe("0".into()), Ok(()));
    }
}
