//! What has to be done now and then, whether or not there are requests.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::admin::{SessionCount, SessionReport, StuckUser};
use crate::clock::Moment;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::session::census::Census;
use crate::session::login::Twin;
use crate::session::table::Sessions;

/// Forgets sessions that have ended, and shows how many are left.
pub(super) async fn keep(sessions: Arc<Sessions>, live: Arc<ArcSwap<Live>>, metrics: Arc<Metrics>) {
    loop {
        let now = Moment::now();
        sessions.sweep(now);
        let census = Census::take(&sessions, now);
        for site in live.load().prepared.config.sites.iter().filter(|site| site.is_xprotect()) {
            for twin in Twin::NAMES {
                metrics.set_sessions(&site.name, twin, census.count(&site.name, twin));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What `gatekeeper sessions` shows.
pub(super) fn report(sessions: &Sessions, live: &Live) -> SessionReport {
    let census = Census::take(sessions, Moment::now());
    let config = &live.prepared.config;
    let name = |backend| live.prepared.by_key(backend).map(|id| config.instance(id).name.clone());
    let counts = census.counts.into_iter().map(|((site, home, twin), sessions)| SessionCount {
        site,
        home: name(home),
        twin: twin.as_str(),
        sessions,
    });
    let stuck = census.stuck.into_iter().map(|((site, user), why)| StuckUser {
        site,
        user,
        reason: why.as_str(),
        text: why.text(),
    });
    SessionReport { counts: counts.collect(), stuck: stuck.collect() }
}

const PAUSE: Duration = Duration::from_secs(2);
