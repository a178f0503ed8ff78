//! The stream locator's way through the stack (design D19): it is the request for the camera itself,
//! so that it is judged like any other; what the instance answers is replaced.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, Request, StatusCode, Uri};

use super::Stack;
use super::answer::{Served, ask_for_whole};
use crate::config::types::SiteId;
use crate::http::respond::Answer;
use crate::idmap::guid::Guid;
use crate::live::Live;
use crate::route::normalise::segments;

/// Makes `request` the one for the camera that it asks about; `None` if it asks for nothing that we
/// have.
pub(super) fn ask_for_camera<B>(request: &mut Request<B>) -> Option<Guid> {
    if *request.method() != Method::GET {
        return None;
    }
    let id = Guid::parse(segments(request.uri().path()).last()?.as_bytes())?;
    *request.uri_mut() = format!("/API/rest/v1/cameras/{id}").parse::<Uri>().ok()?;
    ask_for_whole(request.headers_mut());
    Some(id)
}

impl Stack {
    /// The answer to `served`'s request for the camera: where its streams are, if it may be seen.
    pub(super) async fn locate(
        &self,
        live: &Live,
        site: SiteId,
        served: Served,
        id: Guid,
    ) -> Result<Served, Answer> {
        if served.response.status() != StatusCode::OK {
            return Ok(served);
        }
        let limit = live.prepared.config.upstream.response_timeout;
        // Read to its end, so that its connection can be used again.
        let mut served = served.read(LARGEST_OBJECT, limit).await?;
        let backends = live.prepared.backends();
        let body = self.locator.locate(&live.picture, backends, (site, served.instance), id).await;
        served.set_body(Bytes::from(body.to_string()));
        served.response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(served)
    }
}

/// Bytes. A camera has some two thousand.
const LARGEST_OBJECT: usize = 1024 * 1024;
