//! `/readyz`: can clients be sent here?

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::AdminState;
use crate::balance::Picture;
use crate::config::types::{Service, SiteId};

/// One essential service that keeps us from being ready.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Missing {
    site: String,
    service: &'static str,
    why: &'static str,
}

pub(super) async fn readyz(State(state): State<AdminState>) -> Response {
    let missing = missing(&state.picture());
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": missing.is_empty(), "missing": missing}))).into_response()
}

/// Every essential service that has not passed a probe on any instance or is not served now.
fn missing(picture: &Picture) -> Vec<Missing> {
    let check = |id: SiteId, service: &Service| {
        let site = picture.config.site(id);
        let probed = site.candidates().any(|c| picture.fact(c, *service).up_since.is_some());
        let why = match picture.table.get(id, *service).instance {
            None => "no instance serves it",
            Some(_) if !probed => "it has not passed a probe on any instance yet",
            Some(_) => return None,
        };
        Some(Missing { site: site.name.clone(), service: service.as_str(), why })
    };
    let sites = picture.config.site_ids();
    sites
        .flat_map(|id| {
            picture.config.site(id).essential.iter().filter_map(move |s| check(id, s)).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::balance::{Override, OverrideKind};
    use crate::clock::Moment;
    use crate::config::types::InstanceId;
    use crate::health::{Condition, Fact};
    use crate::testing::config;

    fn picture(held: &[&str]) -> Picture {
        let hold = |name: &&str| Override {
            instance: (*name).to_owned(),
            kind: OverrideKind::Drain,
            reason: String::new(),
            by: String::new(),
            since_unix: 0,
        };
        let overrides = held.iter().map(hold).collect();
        Picture::initial(Arc::new(config("hq", &["a", "b"])), overrides, Moment::default())
    }

    fn up(picture: &mut Picture, instance: u16, service: Service) {
        let fact = Fact { condition: Condition::Up, up_since: Some(Moment::default()), ..Fact::default() };
        picture.health.set(InstanceId(instance), service, fact);
    }

    #[test]
    fn ready_when_each_essential_service_passed_somewhere() {
        let mut picture = picture(&[]);
        assert_eq!(missing(&picture).len(), 2, "nothing was probed");
        up(&mut picture, 0, Service::Identity);
        assert_eq!(missing(&picture)[0].service, "config");
        up(&mut picture, 1, Service::Config);
        assert_eq!(missing(&picture), []);
    }

    #[test]
    fn not_ready_when_nobody_serves() {
        let mut picture = picture(&["a", "b"]);
        up(&mut picture, 0, Service::Identity);
        up(&mut picture, 0, Service::Config);
        // The first table does not look at overrides' targets: drained everywhere means nobody.
        assert_eq!(missing(&picture).len(), 2);
        assert_eq!(missing(&picture)[0].why, "no instance serves it");
    }
}
