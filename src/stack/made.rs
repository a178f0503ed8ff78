//! Tasks and sessions that live in one instance only (design D10): what a request names goes to its
//! maker, with the user's token of there, or is gone with it. An id that was never seen goes where
//! its user's requests go: it may have been made before we started.

use http::header::{CONTENT_ENCODING, HeaderMap};
use http::request::Parts;

use super::answer::{Content, LARGEST_DOCUMENT, Served, limit_of};
use super::bind::Binding;
use super::{Job, Stack};
use crate::balance::Bound;
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};
use crate::http::respond::Answer;
use crate::session::issued::Hash;
use crate::session::login::Session;
use crate::session::made::{self, Kind, LIFE};
use crate::session::token::{self, Credential};

/// Something that a request wants to have made, and for whom.
pub(super) struct Making {
    kind: Kind,
    who: Vec<u8>,
}

impl Stack {
    /// Step 7: binds a request to the instance that made what it names.
    ///
    /// # Errors
    /// When that instance is gone, or does not know the user.
    pub(super) fn bind_made(&self, job: &Job<'_>, head: &Parts, binding: &mut Binding) -> Result<(), Answer> {
        let Some((kind, id)) = of_service(job.service).then(|| made::named(head.uri.path())).flatten() else {
            return Ok(());
        };
        let site = job.live.prepared.config.site(job.route.site);
        let Some(who) = who(&head.headers, binding.session.as_deref()) else { return Ok(()) };
        let Some(maker) = self.made.find_latest(made::key(&site.name, &who, kind, &id), Moment::now()) else {
            return Ok(());
        };
        let maker = job.live.prepared.candidate_by_key(job.route.site, maker);
        let knows = |maker: InstanceId| match binding.bound {
            Bound::Token(home) => maker == home,
            Bound::Twinned { home, twins } => maker == home || twins.has(site, maker),
            _ => true,
        };
        let maker = maker.filter(|maker| knows(*maker)).ok_or(Answer::GONE)?;
        binding.bound = Bound::Made(maker);
        Ok(())
    }

    /// Step 7: what a request wants to have made, if anything of the kind.
    pub(super) fn making(&self, job: &Job<'_>, head: &Parts, binding: &Binding) -> Option<Making> {
        if !of_service(job.service) {
            return None;
        }
        let kind = made::wanted(&head.method, head.uri.path(), head.uri.query())?;
        Some(Making { kind, who: who(&head.headers, binding.session.as_deref())? })
    }

    /// Step 10: remembers who made it.
    pub(super) async fn learn_made(
        &self,
        job: &Job<'_>,
        making: Making,
        served: Served,
    ) -> Result<Served, Answer> {
        let response = &served.response;
        if !response.status().is_success() || response.headers().contains_key(CONTENT_ENCODING) {
            return Ok(served);
        }
        let served = served.read(LARGEST_DOCUMENT, limit_of(job)).await?;
        if let Content::Own(body) = served.response.body()
            && let Some(id) = made::id(making.kind, body)
        {
            let site = &job.live.prepared.config.site(job.route.site).name;
            let maker = job.live.prepared.backend(served.instance).key;
            self.made.remember(made::key(site, &making.who, making.kind, &id), maker, LIFE, Moment::now());
        }
        Ok(served)
    }
}

const fn of_service(service: Service) -> bool {
    matches!(service, Service::Config | Service::Events | Service::Webrtc)
}

/// The user of a known login, so that it outlives the token; else the token itself.
fn who(headers: &HeaderMap, session: Option<&Session>) -> Option<Vec<u8>> {
    if let Some(session) = session {
        return Some(session.user().to_lowercase().into_bytes());
    }
    match token::credential(headers) {
        Credential::Bearer(token) => Some(Hash::of(token.as_bytes()).as_bytes().to_vec()),
        _ => None,
    }
}
