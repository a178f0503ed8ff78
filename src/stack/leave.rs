//! The end of a login: told to every instance that knows the user, also to one that is away now.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::asked::{Asked, Purpose};
use super::{Denied, Job, Stack};
use crate::config::types::Service;
use crate::http::respond::Answer;
use crate::session::login::Session;
use crate::upstream::backend::Backend;
use crate::upstream::forward::Failure;

impl Stack {
    /// The home of a login is away and cannot be told that it ends: everybody who can, is.
    pub(super) fn end_without_home(
        self: &Rc<Self>,
        job: &Job<'_>,
        session: &Arc<Session>,
        asked: Asked,
    ) -> Denied {
        let asked = Rc::new(asked);
        if let Some(home) = job.live.prepared.candidate_by_key(job.route.site, session.home()) {
            self.tell(job.live.prepared.backend(home).clone(), asked.clone(), None);
        }
        self.end_session(job, session, asked);
        Answer::LOGGED_OUT.into()
    }

    /// Step 10: the home of a login has taken its end; now the others.
    pub(super) fn end_session(self: &Rc<Self>, job: &Job<'_>, session: &Arc<Session>, asked: Rc<Asked>) {
        debug_assert!(matches!(asked.purpose, Purpose::Revocation(_)));
        for (key, refresh) in session.take_refresh_tokens() {
            if let Some(id) = job.live.prepared.candidate_by_key(job.route.site, key) {
                self.tell(job.live.prepared.backend(id).clone(), asked.clone(), Some(refresh));
            }
        }
        self.sessions.forget(session);
    }

    /// Tells one instance, when it can be told. `token` stands for the client's own there.
    fn tell(self: &Rc<Self>, backend: Arc<Backend>, asked: Rc<Asked>, token: Option<SecretString>) {
        let stack = self.clone();
        tokio::task::spawn_local(async move {
            while stack.until_takes_logins(&backend, PATIENCE).await {
                let request = match &token {
                    Some(token) => asked.with("token", token.expose_secret()),
                    None => asked.again(),
                };
                match stack.ask_one(Service::Identity, &backend, request).await {
                    Err(Failure::Unreachable) => tokio::time::sleep(super::twin::PAUSE).await,
                    Ok((status, _)) if status.is_success() => return,
                    _ => break,
                }
            }
            tracing::warn!(instance = backend.monitor.name(), "it could not be told that a login has ended");
        });
    }
}

/// How long the end of a login waits for an instance that is away.
const PATIENCE: Duration = Duration::from_secs(600);
