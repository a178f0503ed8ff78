//! Step 10 of the stack: a 101, and what passes through the connection after it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_EXTENSIONS};
use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use secrecy::ExposeSecret;
use tokio::task::spawn_local;

use super::answer::{Content, Served, bind_cookie};
use super::bind::{Cookie, bound_of};
use super::in_band::{Sender, Swap};
use super::{Job, Stack};
use crate::balance::{Pick, pick};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};
use crate::http::respond::Answer;
use crate::http::{hop, upgrade};
use crate::session::in_band::Dialect;
use crate::session::login::Session;
use crate::upstream::pool::Passed;
use crate::upstream::socket::flow::Flow;
use crate::upstream::socket::{Ids, Inspect, Side, Stop, Verdict};
use crate::upstream::tunnel::{self, Standing};

/// An upgrade under way.
pub(super) struct Upgrade<'u> {
    pub(super) wanted: Option<&'u upgrade::Wanted>,
    pub(super) on_client: Option<OnUpgrade>,
    /// How its messages are read; `None`: bytes are copied.
    pub(super) frames: Option<Frames>,
    pub(super) cookie: &'u Cookie,
    /// The login of the token in its head.
    pub(super) session: Option<Arc<Session>>,
}

/// How the messages of a WebSocket are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames {
    /// Where a token may stand.
    dialect: Option<Dialect>,
    /// There was one in the head.
    known: bool,
}

impl Frames {
    /// Whether the messages of the WebSocket that is asked for have to be read: for a token, or for
    /// ids. They must not be compressed then.
    pub(super) fn needed(job: &Job<'_>, wanted: Option<&upgrade::Wanted>, head: &mut Parts) -> Option<Self> {
        if job.service == Service::Http || !wanted.is_some_and(upgrade::Wanted::is_websocket) {
            return None;
        }
        let dialect = Dialect::of_socket(head.uri.path());
        // Only the events socket can be given its token in the head, and no other later (fact sheet
        // 4.1).
        let known = dialect == Some(Dialect::Events) && head.headers.contains_key(AUTHORIZATION);
        if job.ids.is_none() && (dialect.is_none() || known) {
            return None;
        }
        head.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        Some(Self { dialect, known })
    }
}

impl Stack {
    /// A 101: joined only if it answers exactly what was asked.
    pub(super) fn switch(
        self: &Rc<Self>,
        job: &Job<'_>,
        instance: InstanceId,
        mut response: Response<Passed>,
        upgrade: Upgrade<'_>,
    ) -> Result<Served, Answer> {
        response.body_mut().detach();
        let Upgrade { wanted: Some(wanted), on_client: Some(on_client), frames, cookie, session } = upgrade
        else {
            return Err(Answer::BAD_UPGRADE);
        };
        let extended = frames.is_some() && response.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS);
        if !wanted.answered_by(response.headers()) || extended {
            return Err(Answer::BAD_UPGRADE);
        }
        let on_instance = hyper::upgrade::on(&mut response);
        hop::strip(response.headers_mut());
        wanted.ask(response.headers_mut());
        self.learn_cookies(job, instance, &response);
        bind_cookie(job, instance, cookie, &mut response);

        let (prepared, service) = (&job.live.prepared, job.service);
        let backend = prepared.backend(instance);
        let (key, name) = (backend.key, prepared.config.instance(instance).name.clone());
        // Without frames its client would see a broken connection and think of a fault, so it stays.
        let owner = Rc::new(RefCell::new(session.filter(|_| frames.is_some())));
        let sender = Sender::of(job, cookie);
        let site = sender.site.clone();
        let primary = &prepared.config.instance(prepared.config.site(job.route.site).primary).name;
        let flows = frames.map(|Frames { dialect, known }| {
            let guard = dialect.map(|dialect| -> Box<dyn Inspect> {
                let (stack, owner) = (self.clone(), owner.clone());
                Box::new(Guard { stack, dialect, sender, backend: key, owner, known })
            });
            // What the primary says is what clients know already.
            let down = (*primary != name).then(|| self.ids_for(&site, primary));
            let up = Flow::new(Side::Client, Some(self.ids_for(&site, &name)), guard);
            (up, Flow::new(Side::Instance, down, None))
        });
        // Ends with the instance's quarantine.
        let mut held = spawn_local(std::future::pending::<()>());
        self.forwarder.carries(backend, held.abort_handle());
        let (stack, connection) = (self.clone(), job.connection.clone());
        connection.pace.tunnel();
        spawn_local(async move {
            let standing = || {
                // First: a socket that still carries bytes is not given up only because of the other.
                if owner.borrow().as_ref().is_some_and(|s| stack.has_left(&site, service, key, s)) {
                    Standing::Left
                } else if stack.is_down(&name, service) {
                    Standing::Down
                } else {
                    Standing::Fine
                }
            };
            let ends = (connection.pace.drained(), async { drop((&mut held).await) });
            tunnel::join(on_client, on_instance, flows, ends, standing).await;
            held.abort();
        });
        Ok(Served { instance, response: response.map(|_| Content::Own(Bytes::new())) })
    }

    /// How `instance` knows the objects of `site`, whenever somebody asks.
    fn ids_for(&self, site: &str, instance: &str) -> Ids {
        let (map, site, instance) = (self.ids.clone(), site.to_owned(), instance.to_owned());
        Box::new(move || map.load().view(&site, &instance).cloned())
    }

    fn is_down(&self, instance: &str, service: Service) -> bool {
        let picture = &self.live.load().picture;
        let found = picture.config.instance_named(instance);
        found.is_none_or(|id| !picture.answers(id, service))
    }

    /// Whether a client with this login, that came again now, would be sent to another instance than
    /// the one with this key.
    fn has_left(&self, site: &str, service: Service, backend: u64, session: &Session) -> bool {
        if session.expires() <= Moment::now() {
            // It could not come again without a new login; its socket outlives its token (fact
            // sheet 4.1).
            return false;
        }
        let live = self.live.load();
        let prepared = &live.prepared;
        let Some(site) = prepared.config.site_named(site) else {
            return false;
        };
        let Some(home) = prepared.candidate_by_key(site, session.home()) else { return false };
        let bound = bound_of(&live, site, session, home);
        match pick(&live.picture, site, service, bound) {
            Pick::To { instance, .. } => prepared.backend(instance).key != backend,
            _ => false,
        }
    }
}

/// Sees to it that the instance at the other end of a socket gets only tokens that it issued.
struct Guard {
    stack: Rc<Stack>,
    dialect: Dialect,
    sender: Sender,
    backend: u64,
    /// The login of the client's token.
    owner: Rc<RefCell<Option<Arc<Session>>>>,
    /// It has shown a good token.
    known: bool,
}

impl Inspect for Guard {
    fn inspect(&mut self, message: &[u8]) -> Verdict {
        let found = match self.dialect.find(message) {
            Ok(Some(found)) => found,
            Ok(None) => return Verdict::Pass,
            Err(_) => return Verdict::Stop(Stop::Unreadable),
        };
        let (verdict, session) = match self.stack.swap(&self.sender, self.backend, &found.token) {
            Swap::Same(session) => (Verdict::Pass, session),
            Swap::Other(token, session) => {
                (Verdict::Replace(found.replace(message, token.expose_secret())), Some(session))
            }
            Swap::Refused(answer) => {
                let answer = self.dialect.refusal(&found, answer.text);
                return Verdict::Stop(Stop::Refused { answer });
            }
        };
        self.known = true;
        *self.owner.borrow_mut() = session;
        verdict
    }

    fn passes_unread(&self) -> bool {
        // A WebRTC socket is shown new tokens as long as it lives.
        self.known && self.dialect != Dialect::Webrtc
    }
}
