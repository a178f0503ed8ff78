//! Many users on many connections at once, who watch whom they are taken for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::dialect::Dialect;
use crate::support::client::{Call, Http, Reply, Result};
use crate::support::dice::Dice;
use crate::support::ntlm::Client;

/// What happened to them.
#[derive(Default, Debug)]
pub struct Tally {
    /// Handshakes that came to their end.
    pub logins: AtomicU64,
    /// Handshakes and requests that the client broke off itself.
    pub aborted: AtomicU64,
    /// Broken connections and answers that say that it did not work now, by what they said.
    pub broken: Mutex<BTreeMap<String, u64>>,
    /// Requests of strangers that were answered as a stranger's.
    pub strangers: AtomicU64,
    /// Requests without a message, answered as the user's of their connection.
    pub remembered: AtomicU64,
    /// The same, answered as a stranger's: the connection to the instance had ended.
    pub forgotten: AtomicU64,
    /// What must never happen.
    pub wrong: Mutex<Vec<String>>,
}

impl Tally {
    pub fn of(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }
}

#[derive(Clone)]
pub struct Crowd {
    pub dialect: Dialect,
    pub http: Http,
    pub users: u64,
    /// So many handshakes in all.
    pub logins: u64,
    /// A run that does not get on ends here.
    pub until: Instant,
    pub tally: Arc<Tally>,
}

/// How a step ended that needs no complaint.
enum Step {
    Done,
    /// The client or the connection is gone.
    Over,
}

impl Crowd {
    /// There were enough logins, or it makes no sense to go on.
    pub fn is_over(&self) -> bool {
        let tally = &self.tally;
        Tally::of(&tally.logins) >= self.logins
            || !tally.wrong.lock().unwrap().is_empty()
            || self.until < Instant::now()
    }

    /// One after the other opens a connection.
    pub async fn run(self, mut dice: Dice) {
        while !self.is_over() {
            if let Err(e) = self.connection(&mut dice).await {
                *self.tally.broken.lock().unwrap().entry(e.to_string()).or_default() += 1;
                // Not to spin while nobody answers.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn connection(&self, dice: &mut Dice) -> Result<()> {
        let mut client = Client::connect(&self.http).await?;
        if dice.percent(30) {
            self.stranger(&mut client, dice).await?;
        }
        for _ in 0..=dice.roll(2) {
            let user = 1 + dice.roll(self.users);
            if let Step::Over = self.log_in(&mut client, user, dice).await? {
                return Ok(());
            }
            for _ in 0..dice.roll(4) {
                if let Step::Over = self.go_on(&mut client, user, dice).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Nobody has logged in on this connection.
    async fn stranger(&self, client: &mut Client, dice: &mut Dice) -> Result<()> {
        if let Some(public) = self.dialect.public
            && dice.percent(50)
        {
            let reply = usable(client.send(public()).await?)?;
            let named = (self.dialect.named)(&reply);
            if named.as_deref() != Some("anonymous") {
                self.tally.wrong(format!("a stranger was taken for {named:?} ({})", reply.status));
            }
        } else {
            let reply = usable(client.send((self.dialect.request)()).await?)?;
            if reply.status != 401 {
                let named = (self.dialect.named)(&reply);
                self.tally.wrong(format!("a stranger was taken for {named:?} ({})", reply.status));
            }
        }
        self.tally.strangers.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn log_in(&self, client: &mut Client, user: u64, dice: &mut Dice) -> Result<Step> {
        let with = |message: &str| (self.dialect.request)().header("authorization", message);
        // 5 in a hundred, in all.
        if dice.percent(2) {
            return self.abort(client, with(&(self.dialect.type1)()), dice).await;
        }
        let reply = usable(client.send(with(&(self.dialect.type1)())).await?)?;
        let challenge = reply.header("www-authenticate");
        let Some(answer) = (self.dialect.type3)(challenge, user).filter(|_| reply.status == 401) else {
            self.tally.wrong(format!("type 1 was answered with {} {challenge:?}", reply.status));
            return Ok(Step::Over);
        };
        if dice.percent(3) {
            return self.abort(client, with(&answer), dice).await;
        }
        let reply = usable(client.send(with(&answer)).await?)?;
        let named = (self.dialect.named)(&reply);
        if reply.status != 200 || named.as_deref() != Some(&(self.dialect.name)(user)) {
            self.tally.wrong(format!("user {user} logged in and was {named:?} ({})", reply.status));
        }
        self.tally.logins.fetch_add(1, Ordering::Relaxed);
        Ok(Step::Done)
    }

    /// The connection is the user's; what it asks for now holds no message.
    async fn go_on(&self, client: &mut Client, user: u64, dice: &mut Dice) -> Result<Step> {
        if dice.percent(3) {
            return self.abort(client, (self.dialect.request)(), dice).await;
        }
        let reply = usable(client.send((self.dialect.request)()).await?)?;
        let named = (self.dialect.named)(&reply);
        match reply.status {
            401 => drop(self.tally.forgotten.fetch_add(1, Ordering::Relaxed)),
            200 if named.as_deref() == Some(&(self.dialect.name)(user)) => {
                self.tally.remembered.fetch_add(1, Ordering::Relaxed);
            }
            status => self.tally.wrong(format!("user {user} went on as {named:?} ({status})")),
        }
        Ok(Step::Done)
    }

    /// Sends a request and goes away before the answer, or with it.
    async fn abort(&self, client: &mut Client, request: Call, dice: &mut Dice) -> Result<Step> {
        let _ = timeout(Duration::from_micros(dice.roll(3000)), client.send(request)).await;
        self.tally.aborted.fetch_add(1, Ordering::Relaxed);
        Ok(Step::Over)
    }
}

/// An answer that is about the request, not about the weather.
fn usable(reply: Reply) -> Result<Reply> {
    if reply.status >= 500 {
        Err(format!("{} {}", reply.status, reply.header("gatekeeper-reason")).into())
    } else {
        Ok(reply)
    }
}
