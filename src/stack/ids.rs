//! One id space (design section 1): what a client knows an object by becomes what the instance
//! knows it by, and back.
//!
//! Requests are translated for the instance that they are about to be written to. Answers of the
//! primary are what clients know already; those of another instance are translated.

use std::sync::Arc;

use http::header::{
    ACCEPT_ENCODING, CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LOCATION, RANGE,
};
use http::uri::PathAndQuery;
use http::{Request, Uri};

use super::answer::{Content, Served};
use super::{Job, Stack};
use crate::config::types::{InstanceId, Service, Site};
use crate::http::body::RequestBody;
use crate::http::translated::is_text;
use crate::idmap::map::{Map, View};
use crate::idmap::translate::{Translator, translate, translate_str};

impl Stack {
    /// The map, if ids of this service of the site are translated. Never those of the identity
    /// provider: what is written there are secrets, and its objects are linked by nobody.
    pub(super) fn ids_of(&self, site: &Site, service: Service) -> Option<Arc<Map>> {
        let map = self.ids.load();
        (!map.is_empty() && service != Service::Identity && map.has(&site.name)).then(|| Arc::clone(&map))
    }
}

impl Job<'_> {
    /// How `instance` knows the objects of this site.
    fn view(&self, instance: InstanceId) -> Option<&Arc<View>> {
        let config = &self.live.prepared.config;
        self.ids?.view(&config.site(self.route.site).name, &config.instance(instance).name)
    }

    fn is_canonical(&self, instance: InstanceId) -> bool {
        self.live.prepared.config.site(self.route.site).primary == instance
    }
}

/// Makes the ids of a request those of the instance with this key.
pub(super) fn to_instance(job: &Job<'_>, request: &mut Request<RequestBody>, backend: u64) {
    let Some(instance) = job.live.prepared.by_key(backend) else { return };
    let Some(view) = job.view(instance) else { return };
    if let Some(new) = request.uri().path_and_query().and_then(|old| translate_str(view, old.as_str()))
        && let Ok(new) = PathAndQuery::from_maybe_shared(new)
    {
        *request.uri_mut() = Uri::from(new);
    }
    headers(view, request.headers_mut());
    if is_text(request.headers()) {
        request.body_mut().translate(Translator::new(view.clone()));
    }
    if !job.is_canonical(instance) {
        // The answer will have to be read, from its beginning.
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.remove(RANGE);
        headers.remove(IF_RANGE);
    }
}

/// Makes the ids of an answer those that clients know.
pub(super) fn to_client(job: &Job<'_>, mut served: Served) -> Served {
    if job.ids.is_none() || job.is_canonical(served.instance) {
        return served;
    }
    let Some(view) = job.view(job.live.prepared.config.site(job.route.site).primary) else { return served };
    headers(view, served.response.headers_mut());
    if is_text(served.response.headers()) {
        served.response = served.response.map(|content| match content {
            Content::Own(bytes) => Content::Own(translate(view, bytes)),
            Content::Passed(body) => Content::Translated(body, Translator::new(view.clone())),
            translated @ Content::Translated(..) => translated,
        });
    }
    served
}

fn headers(view: &View, headers: &mut HeaderMap) {
    for name in WITH_ADDRESS {
        if let Some(value) = headers.get_mut(name)
            && let Some(new) = value.to_str().ok().and_then(|old| translate_str(view, old))
            && let Ok(new) = HeaderValue::try_from(new)
        {
            *value = new;
        }
    }
}

/// Headers whose value is an address.
const WITH_ADDRESS: [HeaderName; 2] = [LOCATION, CONTENT_LOCATION];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::header::REFERER;

    use super::*;
    use crate::idmap::map::Link;
    use crate::metrics::Metrics;
    use crate::testing::config;

    const A: &str = "0a1b2c3d-0000-4000-8000-00000000000a";
    const B: &str = "b1b2b3b4-ffff-4fff-8fff-ffffffffffff";

    #[test]
    fn addresses_in_headers_are_translated() {
        let ids = vec![("a".into(), A.parse().unwrap()), ("b".into(), B.parse().unwrap())];
        let links = [Link { kind: "cameras".into(), ids }];
        let (map, _) = Map::new(&config("hq", &["a", "b"]), &links, &Metrics::new().unwrap());
        let address =
            |id: &str| HeaderValue::try_from(format!("https://vms.example/API/rest/v1/cameras/{id}"));
        let mut all = HeaderMap::new();
        for name in [LOCATION, CONTENT_LOCATION, REFERER] {
            all.insert(name, address(A).unwrap());
        }
        headers(map.view("hq", "b").unwrap(), &mut all);
        assert_eq!(all[LOCATION], address(B).unwrap());
        assert_eq!(all[CONTENT_LOCATION], address(B).unwrap());
        assert_eq!(all[REFERER], address(A).unwrap());
    }
}
