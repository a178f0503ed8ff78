//! The Messages WebSocket (protocol sheet 4.7): clients publish JSON on topics to each other. Nothing is kept:
//! who is not subscribed misses it, and a reconnect starts anew.

mod frame;
mod hub;

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::instance::Instance;
use crate::server::wire::Connection;
use crate::service::Service;
use crate::socket::talk::{Protocol, malformed};
use crate::socket::{self, End, Step};
use crate::switches::{
    ESS_AUTH_TIMEOUT, MESSAGES_ACKS, MESSAGES_ERRORS, MESSAGES_PULSE, MESSAGES_PULSE_TIMEOUT, MESSAGES_ROOM,
    Switch,
};
use frame::{Command, Frame, frame};
use hub::{Post, Seat};

pub use hub::Hub;

/// One socket.
pub struct Client {
    instance: Arc<Instance>,
    seat: Seat,
    stage: Stage,
    /// When the client is out of patience with, if it says nothing; `None`: never.
    due: Option<Instant>,
    /// Number of the next message. Ours counts for each socket: clients start at -1.
    seq: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Stranger,
    Known,
}

impl Client {
    /// A socket that has not said who it is.
    #[must_use]
    pub fn new(instance: Arc<Instance>, connection: Weak<Connection>) -> Self {
        let room = instance.api.settings().switches.number(&MESSAGES_ROOM);
        let room = usize::try_from(room.min(MOST_ROOM)).unwrap_or(1);
        let seat = instance.messages.sit(room, connection);
        let mut client = Self { instance, seat, stage: Stage::Stranger, due: None, seq: 0 };
        client.due = client.after(&ESS_AUTH_TIMEOUT);
        client
    }

    fn authenticate(&mut self, id: &str, token: &str, out: &mut Vec<String>) -> Step {
        if let Err(error) = socket::authenticate(&self.instance, token) {
            self.refuse(id, &error.to_string(), out)?;
            return Step::Break(End::Close(CloseCode::Policy, "not authenticated".into()));
        }
        self.stage = Stage::Known;
        self.due = self.after(&MESSAGES_PULSE_TIMEOUT);
        let period = self.instance.api.settings().switches.number(&MESSAGES_PULSE);
        out.push(frame("hello.v1", json!({ "pulsePeriodSeconds": period })));
        Step::Continue(())
    }

    fn obey(&mut self, id: &str, command: Command, out: &mut Vec<String>) -> Step {
        match (self.stage, command) {
            (Stage::Stranger, Command::Auth { token }) => return self.authenticate(id, &token, out),
            (Stage::Stranger, _) => return self.refuse(id, "Not authenticated.", out),
            (Stage::Known, Command::Auth { .. }) => {
                return self.refuse(id, "The connection has already been authenticated.", out);
            }
            (Stage::Known, Command::Sub { topic }) => {
                if let Err(error) = self.seat.subscribe(topic) {
                    return self.refuse(id, &error.to_string(), out);
                }
            }
            (Stage::Known, Command::Pub { topic, data }) => self.seat.publish(Post { topic, data }),
            (Stage::Known, Command::Pulse { seq }) => {
                if seq >= self.seq {
                    return self.refuse(id, "Invalid value for seq.", out);
                }
                self.due = self.after(&MESSAGES_PULSE_TIMEOUT);
                // A sign of life is not answered.
                return Step::Continue(());
            }
        }
        let acks = self.instance.api.settings().switches.get(&MESSAGES_ACKS);
        if acks != "off" {
            out.push(frame(acks, json!({ "id": id })));
        }
        Step::Continue(())
    }

    fn refuse(&self, id: &str, text: &str, out: &mut Vec<String>) -> Step {
        match self.instance.api.settings().switches.get(&MESSAGES_ERRORS) {
            "close" => Step::Break(End::Close(CloseCode::Policy, text.to_owned())),
            name => {
                out.push(frame(name, json!({ "id": id, "message": text })));
                Step::Continue(())
            }
        }
    }

    fn after(&self, switch: &'static Switch) -> Option<Instant> {
        self.instance.api.settings().switches.span(switch).map(|span| Instant::now() + span)
    }
}

impl Protocol for Client {
    const SERVICE: Service = Service::Events;
    const LARGEST: usize = 256 << 10;

    fn receive(&mut self, text: &str, out: &mut Vec<String>) -> Step {
        match Frame::parse(text) {
            Ok(Frame { id, command: Ok(command) }) => self.obey(&id, command, out),
            Ok(Frame { id, command: Err(error) }) => self.refuse(&id, &error.to_string(), out),
            Err(error) => Step::Break(malformed(&error.to_string())),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn late(&mut self, _: &mut Vec<String>) -> Step {
        let what = if self.stage == Stage::Stranger { "authentication timeout" } else { "pulse timeout" };
        Step::Break(End::Close(CloseCode::Policy, what.into()))
    }

    async fn pushed(&mut self) -> Result<String, End> {
        // The seat itself keeps the channel open; who is thrown out is cut.
        let Some(post) = self.seat.next().await else { return Err(End::Gone) };
        let seq = self.seq;
        self.seq += 1;
        Ok(frame("msg.v1", json!({ "topic": post.topic, "data": post.data, "seq": seq })))
    }
}

/// No mailbox is larger.
const MOST_ROOM: u64 = 100_000;
