//! One Events & State socket: commands in, answers and events out. One task, so an answer is never torn by
//! events, and the answer to `startSession` comes before what it replays (protocol sheet 4.3).

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use serde_json::{Number, Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::command::{Command, Request};
use super::link::{self, End, Step, Stream};
use super::session::{Hold, InUse};
use super::{IN_BAND_SINCE, Origin, authenticate, frames};
use crate::api::Caller;
use crate::faults::{History, Mode, events};
use crate::instance::Instance;
use crate::server::wire::Connection;
use crate::service::Service;
use crate::switches::{self, Switch};

/// The largest command: a filter with every camera of a very large site fits.
const LARGEST_COMMAND: usize = 4 << 20;

struct Socket {
    /// First, so that it is given up before the stream closes: who saw the end finds the session free.
    hold: Option<Hold>,
    instance: Arc<Instance>,
    stream: Stream,
    connection: Arc<Connection>,
    caller: Option<Caller>,
    /// What the service had suffered when the socket was opened.
    before: History,
}

/// Serves a socket from the upgrade to its end.
pub async fn run(
    instance: Arc<Instance>,
    upgrade: OnUpgrade,
    Origin { connection, before }: Origin,
    caller: Option<Caller>,
) {
    let Some((stream, connection)) = link::open(upgrade, &connection, LARGEST_COMMAND).await else { return };
    let mut socket = Socket { instance, stream, connection, caller, hold: None, before };
    let end = socket.serve().await;
    link::close(&mut socket.stream, end).await;
}

impl Socket {
    async fn serve(&mut self) -> End {
        let mut arrivals = self.instance.journal.subscribe();
        let mut faults = self.instance.faults.subscribe();
        let patience = self.instance.api.settings().switches.span(&switches::ESS_AUTH_TIMEOUT);
        let deadline = Instant::now() + patience.unwrap_or_default();
        let pause = self.instance.api.settings().switches.span(&switches::ESS_PING);
        let mut next_ping = Instant::now() + pause.unwrap_or_default();
        loop {
            faults.mark_unchanged();
            arrivals.mark_unchanged();
            let stalled = self.instance.faults.is_silent(Service::Events);
            if !stalled && let ControlFlow::Break(end) = self.deliver().await {
                return end;
            }
            let instance = Arc::clone(&self.instance);
            let connection = Arc::clone(&self.connection);
            let step = tokio::select! {
                biased;
                end = interrupted(&instance, &connection, self.hold.as_ref(), self.before) => return end,
                _ = faults.changed() => ControlFlow::Continue(()),
                () = tokio::time::sleep_until(deadline), if patience.is_some() && self.caller.is_none() => {
                    return End::Close(CloseCode::Policy, "authentication timeout".into());
                }
                message = self.stream.next(), if !stalled => match message {
                    Some(Ok(message)) => self.receive(message).await,
                    _ => return End::Gone,
                },
                () = tokio::time::sleep_until(next_ping), if pause.is_some() && !stalled => {
                    next_ping = Instant::now() + pause.unwrap_or_default();
                    self.send(Message::Ping(bytes::Bytes::new())).await
                }
                _ = arrivals.changed(), if self.hold.is_some() && !stalled => ControlFlow::Continue(()),
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Step {
        let text = match message {
            Message::Text(text) => text,
            // tungstenite answers both by itself; the answer leaves with the next flush.
            Message::Ping(_) | Message::Close(_) => {
                return if self.stream.flush().await.is_ok() {
                    Step::Continue(())
                } else {
                    Step::Break(End::Gone)
                };
            }
            Message::Pong(_) | Message::Frame(_) => return Step::Continue(()),
            Message::Binary(_) => return self.malformed("binary frame"),
        };
        if let Some(Mode::Slow(wait)) = self.instance.faults.current(Some(Service::Events)) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                end = interrupted(&self.instance, &self.connection, self.hold.as_ref(), self.before) => return Step::Break(end),
            }
        }
        let in_band = self.instance.api.settings().version >= IN_BAND_SINCE;
        match Request::parse(&text, in_band) {
            Ok(request) => {
                let answer = self.obey(request);
                self.send(Message::text(answer.to_string())).await
            }
            Err(error) => self.malformed(&error.to_string()),
        }
    }

    fn malformed(&self, reason: &str) -> Step {
        let code = self.instance.api.settings().switches.number(&switches::ESS_CLOSE_MALFORMED);
        let code = u16::try_from(code).map_or(CloseCode::Invalid, CloseCode::from);
        Step::Break(End::Close(code, reason.to_owned()))
    }

    fn obey(&mut self, Request { id, command }: Request) -> Value {
        if let Command::Authenticate { token } = &command {
            return match authenticate(&self.instance, token) {
                // A token cannot be replaced on a live connection (protocol sheet 4.1).
                Ok(caller) => {
                    self.caller.get_or_insert(caller);
                    success(&id, json!({}))
                }
                Err(error) => self.failure(&id, &switches::ESS_UNAUTHENTICATED, &error.to_string()),
            };
        }
        let Some(caller) = &self.caller else {
            return self.failure(&id, &switches::ESS_UNAUTHENTICATED, "Not authenticated.");
        };
        let Some(hold) = &self.hold else {
            let Command::StartSession { session, event } = &command else {
                return self.failure(&id, &switches::ESS_NO_SESSION, "No session has been started.");
            };
            let replay = events::replay(&self.instance.faults.events());
            return match self.instance.sessions.start(caller, session, event, &self.instance.journal, replay)
            {
                Ok(hold) => {
                    let answer = self.started(&id, &hold);
                    self.hold = Some(hold);
                    answer
                }
                Err(error @ InUse) => error_answer(&id, 409, &error.to_string()),
            };
        };
        let journal = &self.instance.journal;
        match command {
            Command::StartSession { .. } => {
                self.failure(&id, &switches::ESS_STARTED, "The session has already been started.")
            }
            Command::AddSubscription(Ok(filters)) => match hold.subscribe(filters, journal) {
                Some(subscription) => success(&id, json!({ "subscriptionId": subscription })),
                None => self.failure(&id, &switches::ESS_BAD_FILTER, "Too many subscriptions."),
            },
            Command::AddSubscription(Err(error)) => {
                self.failure(&id, &switches::ESS_BAD_FILTER, &error.to_string())
            }
            Command::RemoveSubscription { id: subscription } => {
                if hold.unsubscribe(&subscription) {
                    success(&id, json!({}))
                } else {
                    self.failure(&id, &switches::ESS_UNKNOWN_SUBSCRIPTION, "Unknown subscription.")
                }
            }
            Command::GetState => {
                let states = hold.states(journal).into_iter().filter(|event| self.sees(caller, event));
                let states: Vec<Value> = states.map(|event| event.to_cloud_event()).collect();
                success(&id, json!({ "states": states }))
            }
            // Answered above.
            Command::Authenticate { .. } => success(&id, json!({})),
        }
    }

    fn started(&self, id: &Number, hold: &Hold) -> Value {
        let mut answer = json!({
            "commandId": id,
            "status": if hold.resumed { 200 } else { 201 },
            "sessionId": hold.session.id,
        });
        if self.instance.api.settings().version >= IN_BAND_SINCE {
            answer["inactiveTimeoutSeconds"] = json!(self.instance.sessions.window_seconds());
        }
        answer
    }

    /// Sends what arrived since the last time and this session wants.
    async fn deliver(&mut self) -> Step {
        while let (Some(hold), Some(caller)) = (&self.hold, &self.caller) {
            let Some((mut events, last)) = hold.next(&self.instance.journal) else { break };
            events.retain(|event| self.sees(caller, event));
            for frame in frames::frames(&events) {
                self.send(Message::text(frame)).await?;
            }
            if let Some(hold) = &self.hold {
                hold.advance(last);
            }
        }
        Step::Continue(())
    }

    fn sees(&self, caller: &Caller, event: &crate::journal::Event) -> bool {
        self.instance.api.may_see(caller, event.resource, &event.object)
    }

    /// Sends and flushes; a peer that does not read must not outlive a cut or a takeover.
    async fn send(&mut self, message: Message) -> Step {
        tokio::select! {
            biased;
            end = interrupted(&self.instance, &self.connection, self.hold.as_ref(), self.before) => Step::Break(end),
            sent = self.stream.send(message) => match sent {
                Ok(()) => Step::Continue(()),
                Err(_) => Step::Break(End::Gone),
            },
        }
    }

    fn failure(&self, id: &Number, status: &'static Switch, text: &str) -> Value {
        error_answer(id, self.instance.api.settings().switches.number(status), text)
    }
}

/// Returns when something other than the peer ends the socket.
async fn interrupted(
    instance: &Instance,
    connection: &Connection,
    hold: Option<&Hold>,
    before: History,
) -> End {
    let taken = async {
        match hold {
            Some(hold) => hold.lost().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        end = link::broken(instance, connection, Service::Events, before) => end,
        () = taken => End::Close(CloseCode::Normal, "the session continues on another connection".into()),
    }
}

fn success(id: &Number, members: Value) -> Value {
    let mut answer = json!({ "commandId": id, "status": 200 });
    if let (Value::Object(answer), Value::Object(members)) = (&mut answer, members) {
        answer.extend(members);
    }
    answer
}

fn error_answer(id: &Number, status: u64, text: &str) -> Value {
    json!({ "commandId": id, "status": status, "error": { "errorText": text } })
}
