//! Builds every part in order, keeps the configuration current, and takes everything down again in
//! the opposite order.

mod data_plane;
mod housekeeping;
mod reload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use self::data_plane::DataPlane;
use self::reload::Reloader;
use crate::accept::listener::{self, ListenError};
use crate::accept::worker::Phase;
use crate::admin::{self, AdminState, Users, UsersError};
use crate::balance::Picture;
use crate::clock::Moment;
use crate::config::reload::Watch;
use crate::config::types::{CertificateSource, Config, Instance};
use crate::health::supervisor;
use crate::live::{Live, Prepared};
use crate::metrics::{Metrics, MetricsError};
use crate::session::cookie::Signer;
use crate::session::refused::Refused;
use crate::session::table::Sessions;
use crate::session::throttle::Throttle;
use crate::state::{Store, StoreError};
use crate::streams::Locator;
use crate::sync::links::Links;
use crate::sync::worker;
use crate::tls::resolver::{self, CertificateError, Resolver};
use crate::tls::server::server_config;
use crate::upstream::backend::{Backend, BackendError};

/// Why the gatekeeper could not start, or stopped.
#[derive(Debug, Error)]
pub enum AppError {
    /// State directory or database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate that clients or operators see.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Admin tokens.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// Metrics; a fault of the program.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// An instance cannot be addressed.
    #[error("[[instance]] {name:?}: {source}")]
    Backend {
        /// Its name.
        name: String,
        /// Why.
        source: BackendError,
    },
    /// TLS or randomness.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No randomness for the affinity cookie's key.
    #[error("the system has no randomness")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    /// Threads, signals, sockets.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// Serves `config` until SIGTERM or SIGINT; `watch` was made before the configuration was read.
///
/// # Errors
/// When a part cannot be built. Nothing was served then.
pub async fn run(config: Config, watch: Watch) -> Result<(), AppError> {
    // State first: its lock keeps a second gatekeeper with the same configuration out.
    let store = Arc::new(Store::open(&config.state_dir)?);
    let config = Arc::new(config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }

    // Every socket before anything else starts: an address in use ends the program here.
    let workers = config.workers.get();
    let (listener, tls_sockets) = listener::open(config.listener.address, workers)?;
    let (plain, plain_sockets) = open_optional(config.listener.plain_address, workers)?;
    let (admin_address, admin_socket) = listener::open(config.admin.address, 1)?;
    let (metrics_address, metrics_socket) = open_optional(config.metrics, 1)?;

    let certificate =
        Arc::new(Resolver::new(resolver::load(&config.listener.certificate, &certificate_hosts(&config))?));
    let admin_certificate = admin_resolver(&config)?;
    let users = Users::load(&config.admin)?;
    for warning in &users.warnings {
        tracing::warn!("{warning}");
    }
    let metrics = Arc::new(Metrics::new()?);
    if let Some(expiry) = certificate.expiry() {
        metrics.set_certificate_expiry(expiry);
    }

    // Before the first request: without them, ids of another instance mean nothing.
    let links = Arc::new(Links::load(store.clone(), config.clone(), metrics.clone()).await?);

    // The snapshot, and the supervisor that keeps it current.
    let signer = Arc::new(Signer::new()?);
    let backends = backends(&config, &[])?;
    let prepared = Arc::new(Prepared::new(config.clone(), backends, &signer, &metrics));
    let current = Arc::new(ArcSwap::new(prepared.clone()));
    let picture = Arc::new(Picture::initial(config.clone(), store.overrides(), Moment::now()));
    let live = Arc::new(ArcSwap::from_pointee(Live { picture, prepared: prepared.clone() }));
    let (handle, reporter) = supervisor::start(
        config.clone(),
        prepared.backends().iter().map(|b| b.monitor.clone()).collect(),
        prepared.backends().iter().map(|b| b.target.clone()).collect(),
        store.overrides(),
        publisher(live.clone(), current.clone(), metrics.clone()),
    );

    let sessions = Arc::new(Sessions::default());
    // Ends with the runtime.
    tokio::spawn(housekeeping::keep(sessions.clone(), live.clone(), metrics.clone()));
    let count_sessions = {
        let (sessions, live) = (sessions.clone(), live.clone());
        Arc::new(move || housekeeping::report(&sessions, &live.load()))
    };
    let (phase, phases) = watch::channel(Phase::Serving);
    let data_plane = DataPlane {
        tls: server_config(certificate.clone(), true)?,
        live,
        metrics: metrics.clone(),
        supervisor: handle.clone(),
        reporter,
        throttle: Arc::new(Throttle::new()?),
        locator: Arc::new(Locator::new(links.map())),
        sessions,
        ids: links.map(),
        refused: Arc::new(Refused::new()?),
        signer: signer.clone(),
        phases,
    };
    let threads = data_plane.start(tls_sockets, plain_sockets)?;

    let reach = targets(current.clone());
    let (sync, sync_worker) =
        worker::start(links.clone(), store.clone(), handle.watch(), reach, metrics.clone());
    let state =
        AdminState::new(handle.clone(), store, sync, metrics.clone(), users).with_sessions(count_sessions);
    let (stop_admin, admin_stopped) = watch::channel(());
    let stopped = |mut stopped: watch::Receiver<()>| async move {
        // An error means that the sender is gone: stop as well.
        let _ = stopped.changed().await;
    };
    let mut plain_parts = Vec::new();
    for socket in admin_socket {
        let tls = admin_certificate.clone().map(|r| server_config(r, false)).transpose()?;
        let socket = TcpListener::from_std(socket)?;
        let until = stopped(admin_stopped.clone());
        plain_parts.push(tokio::spawn(admin::serve(socket, tls, state.clone(), until)));
    }
    for socket in metrics_socket {
        let socket = TcpListener::from_std(socket)?;
        let until = stopped(admin_stopped.clone());
        plain_parts.push(tokio::spawn(admin::serve_metrics(socket, state.clone(), until)));
    }

    // Whoever reads the ready line may send a signal at once.
    let signals = Signals::new()?;
    announce(listener, plain, admin_address, metrics_address);
    let reloader = Reloader {
        current: current.clone(),
        supervisor: handle,
        links,
        metrics,
        signer,
        certificate,
        admin_certificate,
        state,
    };
    let mut signals = until_told_to_stop(reloader, watch, signals).await;

    // Down in the opposite order: clients first, operators may watch until the end.
    let limit = current.load().config.listener.drain_timeout;
    tracing::info!(limit = ?limit, "stopping: no new connections, running requests may finish");
    phase.send_replace(Phase::Draining(Moment::now() + limit));
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().all(|thread| thread.join().is_ok_and(|result| result.is_ok()))
    });
    tokio::select! {
        joined = joined => if !joined.unwrap_or(false) {
            tracing::error!("a data plane thread did not end cleanly");
        },
        () = signals.stop() => tracing::warn!("told to stop again: connections are cut"),
    }
    // Whoever waits for it is told that we are stopping.
    sync_worker.abort();
    drop(stop_admin);
    for part in plain_parts {
        // A failed task has nothing left to finish.
        let _ = part.await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Puts each new picture into the snapshot, and its facts into the metrics.
fn publisher(
    live: Arc<ArcSwap<Live>>,
    current: Arc<ArcSwap<Prepared>>,
    metrics: Arc<Metrics>,
) -> supervisor::Publish {
    let previous = Mutex::new(None::<Arc<Picture>>);
    Box::new(move |picture| {
        let prepared = current.load_full();
        // While a reload is under way, a last picture of the old configuration may still come.
        // Ids of two configurations must never meet in one snapshot.
        if !Arc::ptr_eq(&prepared.config, &picture.config) {
            return;
        }
        // First: whoever sees the new picture must find the gates closed already.
        for (id, backend) in picture.config.instance_ids().zip(prepared.backends()) {
            backend.target.ban().set(picture.quarantined(id));
        }
        live.store(Arc::new(Live { picture: picture.clone(), prepared }));
        let mut previous = previous.lock().unwrap_or_else(PoisonError::into_inner);
        let failovers = previous.as_ref().map(|p| picture.changes_since(p)).unwrap_or_default();
        metrics.apply(&picture, &failovers);
        *previous = Some(picture);
    })
}

/// How the worker of sync finds the instances of the configuration in force.
fn targets(current: Arc<ArcSwap<Prepared>>) -> worker::Targets {
    Arc::new(move |name: &str| {
        let prepared = current.load();
        let id = prepared.config.instance_named(name)?;
        Some(prepared.backend(id).target.clone())
    })
}

/// One backend per instance. An instance that stays the same keeps its key and monitor, so that
/// connections, bindings and what is known about its health survive.
fn backends(config: &Config, earlier: &[(Instance, Arc<Backend>)]) -> Result<Vec<Arc<Backend>>, AppError> {
    config
        .instances
        .iter()
        .map(|instance| {
            // With another CA, connections that the old one vouched for must not be used again.
            let same = earlier.iter().find(|(known, _)| {
                known.name == instance.name && known.url == instance.url && known.ca_file == instance.ca_file
            });
            Backend::new(instance, &config.upstream, same.map(|(_, backend)| backend.as_ref()))
                .map(Arc::new)
                .map_err(|source| AppError::Backend { name: instance.name.clone(), source })
        })
        .collect()
}

/// The names that a self-signed certificate is made for.
fn certificate_hosts(config: &Config) -> Vec<String> {
    let mut hosts: Vec<String> = config.sites.iter().flat_map(|s| s.hosts.clone()).collect();
    hosts.extend(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn admin_resolver(config: &Config) -> Result<Option<Arc<Resolver>>, CertificateError> {
    let Some((chain, key)) = &config.admin.certificate else { return Ok(None) };
    let source = CertificateSource::Files { chain: PathBuf::from(chain), key: PathBuf::from(key) };
    Ok(Some(Arc::new(Resolver::new(resolver::load(&source, &[])?))))
}

type Opened = (Option<SocketAddr>, Vec<std::net::TcpListener>);

fn open_optional(address: Option<SocketAddr>, count: usize) -> Result<Opened, ListenError> {
    address.map_or(Ok((None, Vec::new())), |address| {
        listener::open(address, count).map(|(bound, sockets)| (Some(bound), sockets))
    })
}

/// The one line on stdout that programs wait for (design section 5).
fn announce(listener: SocketAddr, plain: Option<SocketAddr>, admin: SocketAddr, metrics: Option<SocketAddr>) {
    let addresses = json!({"listener": listener, "plain": plain, "admin": admin, "metrics": metrics});
    println!("ready {addresses}");
    tracing::info!(%listener, ?plain, %admin, ?metrics, "serving");
}

/// What the program is told from outside.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, AppError> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn until_told_to_stop(reloader: Reloader, mut watch: Watch, mut signals: Signals) -> Signals {
    reloader.follow(&mut watch);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return signals,
            _ = signals.interrupt.recv() => return signals,
            _ = signals.hangup.recv() => reloader.reload("SIGHUP", &mut watch).await,
            () = watch.changed() => reloader.reload("a file changed", &mut watch).await,
        }
    }
}
