//! Step 4 of the stack: discovery documents are ours (design D11).

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::{Route, Stack};
use crate::balance::Picture;
use crate::http::respond::Answer;
use crate::live::Live;
use crate::metrics::Refused;
use crate::route::discovery;
use crate::route::table::Document;

impl Stack {
    /// A document of ours. Never the instance's own: its addresses lead around us.
    pub(super) async fn discover(&self, live: &Live, route: &Route, document: Document) -> Response<Bytes> {
        let known = |picture: &Picture| discovery::is_known(picture, route.site, document).then_some(());
        if known(&live.picture).is_none() {
            self.wait_for_picture(live, known).await;
        }
        let newest = self.live.load();
        let same = Arc::ptr_eq(&newest.prepared, &live.prepared);
        let picture = if same { &newest.picture } else { &live.picture };
        let body = match document {
            Document::Uris => discovery::uris(picture, route.site, &route.origin()),
            Document::OpenId => discovery::openid(picture, route.site, &route.origin()),
            Document::Jwks => discovery::jwks(picture, route.site),
        };
        let Some(body) = body else {
            self.metrics.refused(Refused::NoInstance);
            return Answer::UNAVAILABLE.response(document.service().into());
        };
        let mut response = Response::new(Bytes::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        // It repeats the Host that this client used.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
