//! The configuration as the rest of the program sees it: checked, resolved, unable to hold an
//! invalid state. Only `convert` makes one.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::sync::catalogue::{Kind, Policy};

/// An instance's place in [`Config::instances`]. Valid for the configuration that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u16);

/// A site's place in [`Config::sites`]. Valid for the configuration that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u16);

impl InstanceId {
    /// The position as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl SiteId {
    /// The position as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What can fail over on its own (design section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// `/IDP` and `/API/IDP`.
    Identity,
    /// `/API/rest/v1`, less what the other services own.
    Config,
    /// Events and alarms, REST and WebSocket.
    Events,
    /// WebRTC signalling.
    Webrtc,
    /// `/ManagementServer` and `/ServerAPI`.
    Soap,
    /// The one service of a site with profile `http`.
    Http,
}

impl Service {
    /// How many services there are: the length of a table indexed by [`Service::index`].
    pub const COUNT: usize = 6;

    /// All services, in the order of [`Service::index`].
    pub const ALL: [Self; Self::COUNT] =
        [Self::Identity, Self::Config, Self::Events, Self::Webrtc, Self::Soap, Self::Http];

    /// The services of an XProtect instance.
    pub const XPROTECT: [Self; 5] = [Self::Identity, Self::Config, Self::Events, Self::Webrtc, Self::Soap];

    /// Position in [`Service::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in configuration, metrics, logs and the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Config => "config",
            Self::Events => "events",
            Self::Webrtc => "webrtc",
            Self::Soap => "soap",
            Self::Http => "http",
        }
    }

    /// The service with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything the program needs to know at start and at a reload.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Where overrides and the admin token live; absolute or relative to the working directory.
    pub state_dir: PathBuf,
    /// Data plane threads; `workers = 0` in the file is resolved to the number of cores.
    pub workers: NonZeroUsize,
    /// The client side.
    pub listener: Listener,
    /// The operator side.
    pub admin: Admin,
    /// `/metrics`, `/healthz`, `/readyz` for scraping; `None`: only on the admin listener.
    pub metrics: Option<SocketAddr>,
    /// Time limits towards instances.
    pub upstream: UpstreamLimits,
    /// Every instance; at least one. Indexed by [`InstanceId`].
    pub instances: Vec<Instance>,
    /// Every site; at least one. Indexed by [`SiteId`].
    pub sites: Vec<Site>,
    /// Probing.
    pub health: Health,
    /// When a service returns to its primary.
    pub failback: Failback,
    /// What is kept alike.
    pub sync: Sync,
    /// Whether tokens are checked before they reach an instance.
    pub validate: Validate,
    /// What an operator should know but that does not prevent a start (keys without effect yet,
    /// a self-signed certificate). Logged once at start, printed by `check`.
    pub warnings: Vec<String>,
}

impl Config {
    /// The instance with this id.
    pub fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.index()]
    }

    /// The site with this id.
    pub fn site(&self, id: SiteId) -> &Site {
        &self.sites[id.index()]
    }

    /// The instance with this name: names outlive a reload, ids do not.
    pub fn instance_named(&self, name: &str) -> Option<InstanceId> {
        self.instance_ids().find(|id| self.instance(*id).name == name)
    }

    /// The site with this name.
    pub fn site_named(&self, name: &str) -> Option<SiteId> {
        self.site_ids().find(|id| self.site(*id).name == name)
    }

    /// Ids of all instances.
    pub fn instance_ids(&self) -> impl Iterator<Item = InstanceId> + use<> {
        // `convert` refuses more than `u16::MAX` instances.
        (0..self.instances.len() as u16).map(InstanceId)
    }

    /// Ids of all sites.
    pub fn site_ids(&self) -> impl Iterator<Item = SiteId> + use<> {
        (0..self.sites.len() as u16).map(SiteId)
    }

    /// The services that are probed on an instance: those of every site that uses it.
    pub fn services_of(&self, id: InstanceId) -> Vec<Service> {
        let mut found: Vec<Service> = self
            .sites
            .iter()
            .filter(|s| s.candidates().any(|c| c == id))
            .flat_map(|s| s.services().iter().copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The client side: addresses, certificate, trust.
#[derive(Clone, Debug)]
pub struct Listener {
    /// TLS.
    pub address: SocketAddr,
    /// Plain HTTP beside TLS.
    pub plain_address: Option<SocketAddr>,
    /// What clients see.
    pub certificate: CertificateSource,
    /// Peers whose `X-Forwarded-*` and PROXY headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections from `trusted_proxies` start with a PROXY protocol header (v1 or v2).
    pub proxy_protocol: bool,
    /// How long running requests may take after a stop was asked for.
    pub drain_timeout: Duration,
}

/// Where a listener's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// Made at start for all named hosts; with a warning.
    SelfSigned,
    /// PEM files; checked to exist, parse and match when the configuration is read.
    Files {
        /// Certificate chain, leaf first.
        chain: PathBuf,
        /// Private key (PKCS#8, PKCS#1 or SEC1).
        key: PathBuf,
    },
}

/// The operator side (design D16).
#[derive(Clone, Debug)]
pub struct Admin {
    /// Loopback, unless `certificate` and `hosts` are given.
    pub address: SocketAddr,
    /// Token of the user `local`, created if missing.
    pub token_file: PathBuf,
    /// TLS; `None` only on loopback.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Accepted `Host` names besides loopback ones.
    pub hosts: Vec<String>,
    /// Further users.
    pub users: Vec<AdminUser>,
}

/// One `[[admin.user]]`.
#[derive(Clone, Debug)]
pub struct AdminUser {
    /// Shown in audit and logs.
    pub name: String,
    /// What the user may do.
    pub role: AdminRole,
    /// The file with the bearer token.
    pub token_file: PathBuf,
}

/// What an operator may do (design D16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminRole {
    /// Status only, no user or object names.
    Viewer,
    /// Drain, quarantine, release, failback.
    Operator,
    /// Approve, reject, lift a guard.
    Approver,
    /// All but approving alone.
    Admin,
}

/// Time limits towards instances.
#[derive(Clone, Debug)]
pub struct UpstreamLimits {
    /// TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the end of the request to the response head.
    pub response_timeout: Duration,
}

/// One complete VMS (or, with profile `http`, one web server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Unique; used in metrics, logs, the admin API.
    pub name: String,
    /// Where it answers; no path.
    pub url: Origin,
    /// Private CA that signed its certificate; `None`: the system's trust store.
    pub ca_file: Option<PathBuf>,
    /// Other origins that its answers mention.
    pub aliases: Vec<Origin>,
    /// Account for deep probes; reads only.
    pub account: Option<Account>,
}

/// A user of an instance. The password is read from the file when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Basic user.
    pub username: String,
    /// File that holds the password; a trailing line break is not part of it.
    pub password_file: PathBuf,
}

/// A scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https`.
    pub tls: bool,
    /// Lower-case name or address; IPv6 without brackets.
    pub host: String,
    /// Always filled in: 80 or 443 by default.
    pub port: u16,
}

impl Origin {
    /// `host` or `host:port`, IPv6 in brackets, the scheme's default port left out: what belongs
    /// into a `Host` header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// What clients address.
#[derive(Clone, Debug)]
pub struct Site {
    /// Unique; used in metrics, logs, the admin API.
    pub name: String,
    /// Lower-case names; unused if `any_host`.
    pub hosts: Vec<String>,
    /// `hosts = ["*"]`: this site answers for names that no other site has.
    pub any_host: bool,
    /// Which protocol lives behind it.
    pub profile: Profile,
    /// Serves by default.
    pub primary: InstanceId,
    /// In the order in which they take over.
    pub standby: Vec<InstanceId>,
    /// Which ids clients see; `Native` with profile `http`.
    pub ids: Ids,
    /// Services without which a login makes no sense (design D7) and `/readyz` is 503.
    pub essential: Vec<Service>,
    /// Who gets a twin session (design D8).
    pub twin: TwinPolicy,
    /// Who may use it.
    pub twin_binding: TwinBinding,
}

impl Site {
    /// The primary, then every standby in order.
    pub fn candidates(&self) -> impl Iterator<Item = InstanceId> + '_ {
        std::iter::once(self.primary).chain(self.standby.iter().copied())
    }

    /// Whether a VMS lives behind it.
    pub const fn is_xprotect(&self) -> bool {
        matches!(self.profile, Profile::Xprotect { .. })
    }

    /// The services of this site's profile.
    pub const fn services(&self) -> &'static [Service] {
        match self.profile {
            Profile::Xprotect { .. } => &Service::XPROTECT,
            Profile::Http { .. } => &[Service::Http],
        }
    }
}

/// Whose credentials may be shown to a second instance (design D8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwinPolicy {
    /// Every user's.
    All,
    /// Only of users who administer nothing.
    NonAdministrators,
    /// Nobody's.
    Nobody,
}

/// From where a twin may be used (design D8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwinBinding {
    /// From the address that logged in, or with the cookie of that login.
    Address,
    /// From anywhere.
    Nothing,
}

/// Which ids clients see (design D19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The primary's, whoever serves.
    Canonical,
    /// Those of whoever serves.
    Native,
}

/// The protocol of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// XProtect.
    Xprotect {
        /// Path prefixes outside the API that are passed on with `identity`; each starts with `/`.
        pass: Vec<String>,
    },
    /// Any pair of web services.
    Http {
        /// Path that answers 2xx when healthy; starts with `/`. The same for every site that
        /// shares an instance.
        probe: String,
    },
}

/// Probing (design D5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Between two probes of one (instance, service).
    pub interval: Duration,
    /// For one probe.
    pub timeout: Duration,
    /// Passed probes in a row that make it up.
    pub rise: u32,
    /// Failed probes in a row that make it down.
    pub fall: u32,
}

/// When a service returns to its primary (design D6, D20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failback {
    /// By itself, or not.
    pub mode: FailbackMode,
    /// What happens to writes while a standby serves `config`.
    pub standby_writes: StandbyWrites,
}

/// Keeping the objects of two instances alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Whether anything is planned. If not, objects are only matched, so that their ids can be
    /// translated.
    pub enabled: bool,
    /// The first pairing counts without a person's word.
    pub baseline_auto: bool,
    /// Between two readings of what has changed.
    pub interval: Duration,
    /// Between two readings of everything.
    pub full_interval: Duration,
    /// Full readings in which an object must be missing before it counts as deleted.
    pub delete_readings: u32,
    /// How long it must be missing.
    pub delete_min_age: Duration,
    /// Types whose form on the wire is not confirmed take part.
    pub unconfirmed: bool,
    /// An instance without a canary object is not trusted.
    pub canary_required: bool,
    /// By type, what is not as the catalogue has it.
    pub policies: Vec<SyncPolicy>,
    /// Objects that an operator has paired.
    pub pairs: Vec<SyncPair>,
}

/// What the operator says about one type. `None`: as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPolicy {
    /// The type.
    pub kind: Kind,
    /// New objects.
    pub create: Option<Policy>,
    /// Changed objects.
    pub update: Option<Policy>,
    /// Vanished objects.
    pub delete: Option<Policy>,
    /// Changes of the standby count, too.
    pub both: bool,
    /// Only these fields; empty: all.
    pub fields: Vec<String>,
}

/// Two objects that are the same by the operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPair {
    /// Their type.
    pub kind: Kind,
    /// Name of an instance, and the name or id of its object; sorted by instance.
    pub objects: [(String, String); 2],
}

/// How a service returns to its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailbackMode {
    /// After the primary was healthy for this long.
    AfterStable(Duration),
    /// Only when an operator says so.
    Manual,
    /// As soon as the primary is up.
    Immediate,
}

/// What happens to writes while a standby serves `config` (design D20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandbyWrites {
    /// Passed and counted.
    Allow,
    /// 503.
    Refuse,
}

/// Whether tokens are checked before they reach an instance (design D9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validate {
    /// Against the keys that the instances publish.
    Auto,
    /// They go unchecked to the instance that they name as their own.
    Never,
}
