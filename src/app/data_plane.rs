//! The data plane's threads: one a core, each with its own runtime, listeners and connections.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::LocalSet;

use crate::accept::worker::{self, Phase, Setup};
use crate::health::Reporter;
use crate::health::supervisor::SupervisorHandle;
use crate::idmap::map::Map;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::session::cookie::Signer;
use crate::session::issued::Issued;
use crate::session::refused::Refused;
use crate::session::table::Sessions;
use crate::session::throttle::Throttle;
use crate::session::verdicts::Verdicts;
use crate::stack::{Held, Stack};
use crate::streams::Locator;
use crate::upstream::forward::Forwarder;

/// What all threads share.
pub(super) struct DataPlane {
    pub(super) tls: Arc<ServerConfig>,
    pub(super) live: Arc<ArcSwap<Live>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) supervisor: SupervisorHandle,
    pub(super) reporter: Reporter,
    pub(super) ids: Arc<ArcSwap<Map>>,
    pub(super) throttle: Arc<Throttle>,
    pub(super) locator: Arc<Locator>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) refused: Arc<Refused>,
    pub(super) signer: Arc<Signer>,
    pub(super) phases: watch::Receiver<Phase>,
}

impl DataPlane {
    /// Starts a thread for each TLS socket; each gets a plain socket too, if there are any.
    pub(super) fn start(
        self,
        tls: Vec<TcpListener>,
        plain: Vec<TcpListener>,
    ) -> io::Result<Vec<JoinHandle<io::Result<()>>>> {
        let [issued, cookies, made] = [(); 3].map(|()| Arc::new(Issued::default()));
        let most_connections = most_connections(tls.len());
        let mut plain = plain.into_iter();
        let mut threads = Vec::new();
        for (core, socket) in tls.into_iter().enumerate() {
            let setup = Setup {
                tls: (socket, self.tls.clone()),
                plain: plain.next(),
                most_connections,
                phase: self.phases.clone(),
            };
            let (live, metrics, supervisor) =
                (self.live.clone(), self.metrics.clone(), self.supervisor.clone());
            let (reporter, issued, cookies) = (self.reporter.clone(), issued.clone(), cookies.clone());
            let made = made.clone();
            let (throttle, locator, ids) = (self.throttle.clone(), self.locator.clone(), self.ids.clone());
            let (sessions, refused, signer) =
                (self.sessions.clone(), self.refused.clone(), self.signer.clone());
            let serve = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                LocalSet::new().block_on(&runtime, async {
                    let forwarder = Forwarder::new(reporter, supervisor.watch(), metrics.clone());
                    let (verdicts, held) = (Verdicts::default(), Held::default());
                    let stack = Rc::new(Stack {
                        live,
                        forwarder,
                        issued,
                        cookies,
                        made,
                        ids,
                        sessions,
                        refused,
                        asking: Rc::default(),
                        signer,
                        verdicts,
                        throttle,
                        locator,
                        held,
                        metrics,
                        supervisor,
                    });
                    let guard = stack.clone();
                    tokio::task::spawn_local(async move { guard.forwarder.keep_out().await });
                    worker::run(setup, stack).await
                })
            };
            threads.push(std::thread::Builder::new().name(format!("core-{core}")).spawn(serve)?);
        }
        Ok(threads)
    }
}

/// How many connections a core may hold: each can need a second one to an instance, and some file
/// descriptors are for other things.
fn most_connections(cores: usize) -> usize {
    // The soft limit is often 1,024 for the sake of programs that use select(2); this one does not.
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    (files.saturating_sub(RESERVED_FILES) / 2 / cores.max(1)).clamp(64, MOST)
}

const RESERVED_FILES: usize = 128;
/// At some 25 KiB each that is more memory than such a machine has.
const MOST: usize = 500_000;
