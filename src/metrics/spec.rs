//! The one table of metrics: the registry, `docs/metrics.md` and its test are made from it.

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; starts at 0 with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: everything that a reader of `docs/metrics.md` needs.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Full name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Label names, in the order of the values.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    /// What to look at it for.
    pub look: &'static str,
}

const fn spec(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
    look: &'static str,
) -> Spec {
    Spec { name, kind, labels, help, look }
}

pub(super) const REQUESTS: Spec = spec(
    "gatekeeper_requests_total",
    Kind::Counter,
    &["site", "service", "instance", "code"],
    "Answered requests by the instance that answered and the status code; instance none: answered by the gatekeeper itself.",
    "Share of 5xx per site and service; which instance the load goes to.",
);
pub(super) const DURATION: Spec = spec(
    "gatekeeper_request_duration_seconds",
    Kind::Histogram,
    &["site", "service"],
    "From the end of the request head until the head of the answer.",
    "Latency as clients feel it, without the time that the body takes.",
);
pub(super) const UPSTREAM_UP: Spec = spec(
    "gatekeeper_upstream_up",
    Kind::Gauge,
    &["instance", "service"],
    "1 if the service is usable on this instance, 0 if not; no series while the instance does not have the service.",
    "Alert when 0 for more than a minute: redundancy is lost although clients notice nothing.",
);
pub(super) const SERVING: Spec = spec(
    "gatekeeper_serving",
    Kind::Gauge,
    &["site", "service", "instance"],
    "1 on the instance that serves the service of the site now, 0 on every other candidate.",
    "Alert when the sum over instances is 0: nobody serves.",
);
pub(super) const FAILOVERS: Spec = spec(
    "gatekeeper_failovers_total",
    Kind::Counter,
    &["site", "service", "from", "to", "reason"],
    "Changes of the serving instance; from or to none: nobody served.",
    "Each one is worth a look; many in an hour mean an unstable instance.",
);
pub(super) const RETRIES: Spec = spec(
    "gatekeeper_retries_total",
    Kind::Counter,
    &["reason"],
    "Requests that were sent a second time, by what went wrong the first time.",
    "A steady rate without a failover means a network that loses connections.",
);
pub(super) const HEDGES: Spec = spec(
    "gatekeeper_hedges_total",
    Kind::Counter,
    &["outcome"],
    "Safe requests also sent to the standby because the instance was silent, by which answer was used.",
    "A rate above zero in quiet times means that an instance hangs now and then.",
);
pub(super) const STANDBY_WRITES: Spec = spec(
    "gatekeeper_standby_writes_total",
    Kind::Counter,
    &["site"],
    "Configuration writes passed to a standby while it served.",
    "Changes that the primary does not have; look before failing back.",
);
pub(super) const IDS_WITHOUT_PARTNER: Spec = spec(
    "gatekeeper_ids_without_partner_total",
    Kind::Counter,
    &["site"],
    "GUIDs in requests and answers that no link knows; they pass unchanged. Not counted while a site has no links.",
    "What is made by use (events, sessions, alarms) has no partner, so it is never 0; a jump after a switch means objects that were never linked.",
);
pub(super) const SYNC_OBJECTS: Spec = spec(
    "gatekeeper_sync_objects",
    Kind::Gauge,
    &["type", "state"],
    "Objects of each type by how they stand towards the other instance, from the last reading of both; no series before the first.",
    "Ambiguous ones are unknown to clients after a switch until an operator links them; growth of only_one_side means that the instances drift apart.",
);
pub(super) const SYNC_HELD: Spec = spec(
    "gatekeeper_sync_held",
    Kind::Gauge,
    &["reason"],
    "What the newest plans hold, by what comes first of its reasons; conflicts included.",
    "Alert on finding and conflict: a person has to look. reference: something is not paired.",
);
pub(super) const SYNC_LAST_SUCCESS: Spec = spec(
    "gatekeeper_sync_last_success_timestamp_seconds",
    Kind::Gauge,
    &["type"],
    "When both sides of a type were last read completely and believed, in UNIX time; no series before.",
    "Alert when it is older than a few full_interval: the type stands still, `gatekeeper sync status` says why.",
);
pub(super) const SYNC_UNKNOWN: Spec = spec(
    "gatekeeper_sync_unknown_collections",
    Kind::Gauge,
    &["instance"],
    "Collections that the instance offers and this version does not know.",
    "Above 0, something is neither compared nor named in the coverage report.",
);
pub(super) const RELOADS: Spec = spec(
    "gatekeeper_config_reloads_total",
    Kind::Counter,
    &["result"],
    "Reloads of the configuration, by result.",
    "Alert on any increase of result=\"failed\": the file on disk is not what runs.",
);
pub(super) const CERTIFICATE: Spec = spec(
    "gatekeeper_certificate_expiry_timestamp_seconds",
    Kind::Gauge,
    &[],
    "UNIX time at which the certificate that clients see expires; 0 before it is known.",
    "Alert 14 days before.",
);
pub(super) const BUILD_INFO: Spec =
    spec("gatekeeper_build_info", Kind::Gauge, &["version"], "Always 1.", "Which version runs where.");
pub(super) const CONNECTIONS: Spec = spec(
    "gatekeeper_connections",
    Kind::Gauge,
    &[],
    "Open client connections.",
    "Growth without more requests means clients that do not let go.",
);
pub(super) const PINNED: Spec = spec(
    "gatekeeper_pinned_connections",
    Kind::Gauge,
    &[],
    "Open connections to instances that belong to one client connection each (NTLM and Negotiate).",
    "At most one for each client connection and instance; many without Windows users mean clients that are asked to log in and never do.",
);
pub(super) const SESSIONS: Spec = spec(
    "gatekeeper_sessions",
    Kind::Gauge,
    &["site", "twin"],
    "Logins that have not ended, by how their twin at another instance stands: ready, pending, or why there is none.",
    "Whatever is neither ready nor pending has to log in again at a switch; `gatekeeper sessions` names the users.",
);
pub(super) const REFUSED: Spec = spec(
    "gatekeeper_refused_total",
    Kind::Counter,
    &["reason"],
    "Requests and connections that the gatekeeper refused, by reason.",
    "A sudden rise is an attack, a scanner or a broken client.",
);

pub(super) const THROTTLED: Spec = spec(
    "gatekeeper_logins_throttled_total",
    Kind::Counter,
    &["site", "scope"],
    "Logins that had to wait or were refused because others had failed before, by whose failures they were.",
    "address: somebody tries passwords from there; user: somebody tries this user's from many places; user_address alone: mostly people who mistype, or a program with an old password.",
);

/// Every metric of our own, in the order of `docs/metrics.md`.
pub const ALL: &[Spec] = &[
    REQUESTS,
    DURATION,
    UPSTREAM_UP,
    SERVING,
    FAILOVERS,
    RETRIES,
    HEDGES,
    STANDBY_WRITES,
    THROTTLED,
    IDS_WITHOUT_PARTNER,
    SYNC_OBJECTS,
    SYNC_HELD,
    SYNC_LAST_SUCCESS,
    SYNC_UNKNOWN,
    REFUSED,
    CONNECTIONS,
    PINNED,
    SESSIONS,
    RELOADS,
    CERTIFICATE,
    BUILD_INFO,
];

/// What crate `prometheus` reports about the process (Linux).
pub const PROCESS: &[Spec] = &[
    spec("process_cpu_seconds_total", Kind::Counter, &[], "CPU time used.", "Load."),
    spec("process_open_fds", Kind::Gauge, &[], "Open file descriptors.", "Alert near the limit."),
    spec(
        "process_max_fds",
        Kind::Gauge,
        &[],
        "Limit of open file descriptors.",
        "Beside `process_open_fds`.",
    ),
    spec("process_resident_memory_bytes", Kind::Gauge, &[], "Memory in RAM.", "Steady growth."),
    spec("process_virtual_memory_bytes", Kind::Gauge, &[], "Address space.", "Rarely useful."),
    spec("process_start_time_seconds", Kind::Gauge, &[], "UNIX time of the start.", "Restarts."),
    spec("process_threads", Kind::Gauge, &[], "Threads.", "Constant in normal operation."),
];

/// `docs/metrics.md`.
pub fn document() -> String {
    let mut out = String::from(
        "# Metrics\n\n\
         Generated from `src/metrics/spec.rs`; do not edit (`UPDATE_DOCS=1 cargo test --lib metrics` writes it).\n\n\
         `GET /metrics` on the admin listener and on `[metrics] address` answers in the Prometheus text format.\n\
         No label ever carries a user, a token, a path or an object id. All label values come from the configuration\n\
         or from the closed sets below; series of instances and sites that a reload removes disappear.\n\n",
    );
    for s in ALL.iter().chain(PROCESS) {
        out.push_str(&format!("## `{}`\n\n{}", s.name, s.kind.as_str()));
        if !s.labels.is_empty() {
            let labels: Vec<String> = s.labels.iter().map(|l| format!("`{l}`")).collect();
            out.push_str(&format!(", labels {}", labels.join(", ")));
        }
        out.push_str(&format!(". {}\n\n*Look at it for:* {}\n\n", s.help, s.look));
        if let Some((label, values)) = super::closed::values_of(s.name) {
            let values: Vec<String> = values.iter().map(|(v, text)| format!("- `{v}`: {text}")).collect();
            out.push_str(&format!("Values of `{label}`:\n\n{}\n\n", values.join("\n")));
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
