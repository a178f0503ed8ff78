//! The rows. Read [`super`] first.

use std::time::Duration;

use super::Effect::{NotYet, Reload, Restart};
use super::Kind::{
    Address, AddressOrOff, Choice, Choices, DayTime, Flag, Hosts, HostsOrAny, Name, Networks, Number, Origin,
    Origins, Path, Prefixes, Table, Text, Texts, Time, UrlPath,
};
use super::Preset::{Required, Unset, Value};
use super::{Effect, Key, Kind, Preset};

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Path pattern; empty for the keys above the first header.
    pub pattern: &'static str,
    /// What it is for. Markdown.
    pub text: &'static str,
}

const fn section(pattern: &'static str, text: &'static str) -> Section {
    Section { pattern, text }
}

const fn key(path: &'static str, kind: Kind, preset: Preset, effect: Effect, text: &'static str) -> Key {
    Key { path, kind, preset, effect, text, example: None }
}

impl Key {
    const fn example(mut self, toml: &'static str) -> Self {
        self.example = Some(toml);
        self
    }
}

const fn time(min_ms: u64, max_s: u64) -> Kind {
    Time { min: Duration::from_millis(min_ms), max: Duration::from_secs(max_s) }
}

const MINUTES: u64 = 60;
const HOURS: u64 = 3600;
const WORDS: &[&str] = &["auto", "approve", "never"];

/// Every table, in the order of the manual.
pub const SECTIONS: &[Section] = &[
    section("", "Above the first table."),
    section("runtime", "Threads."),
    section("listener", "The client side."),
    section("admin", "The operator side: status, drain, quarantine; approvals come later."),
    section("admin.user[]", "People beside `local`, the user of `[admin] token_file`."),
    section("metrics", "A listener for scraping only: `/metrics`, `/healthz`, `/readyz`."),
    section("upstream", "Time limits towards instances."),
    section("instance[]", "One complete VMS (or, for profile `http`, one web server). At least one."),
    section("site[]", "What clients address: names, and the instances that serve them. At least one."),
    section("health", "Probing of every (instance, service)."),
    section("failback", "When a service returns to its primary."),
    section("session", "Sessions and tokens."),
    section("events", "Events and alarms."),
    section("sync", "Keeping chosen objects of two instances alike."),
    section("sync.policy[]", "What may happen to one type of object without a person."),
    section("sync.pair[]", "Two objects that are the same thing although nothing says so."),
    section("sync.window[]", "When changes may be applied."),
    section("sync.limits.*", "How much of one type may change at once; `*` stands for the type."),
];

/// Every key, in the order of the manual.
pub const KEYS: &[Key] = &[
    key("state_dir", Path, Value("\"state\""), Restart,
        "Directory for overrides and the admin token. Made if missing; locked while the gatekeeper runs."),
    key("runtime.workers", Number { min: 0, max: 1024 }, Value("0"), Restart,
        "Threads that serve requests. 0: one per available core."),

    key("listener.address", Address, Value("\"0.0.0.0:443\""), Restart,
        "Where clients connect with TLS. Port 0 takes a free port."),
    key("listener.plain_address", AddressOrOff, Value("\"\""), Restart,
        "Plain HTTP beside TLS. Empty: off. Passwords then cross the network readable; use it only behind something that ends TLS."),
    key("listener.certificate", Path, Value("\"\""), Reload,
        "PEM file: the server certificate, then its intermediates. Both `certificate` and `private_key` empty: a self-signed certificate for all named hosts is made at every start, with a warning."),
    key("listener.private_key", Path, Value("\"\""), Reload,
        "PEM file: the key of the certificate (PKCS#8, PKCS#1 or SEC1, not encrypted)."),
    key("listener.trusted_proxies", Networks, Value("[]"), Reload,
        "Addresses or networks of load balancers whose `X-Forwarded-*` headers and PROXY headers are believed. From all others these headers are removed.")
        .example("[\"192.0.2.10\", \"198.51.100.0/24\"]"),
    key("listener.proxy_protocol", Flag, Value("false"), Reload,
        "Connections from `trusted_proxies` start with a PROXY protocol header, version 1 or 2."),
    key("listener.drain_timeout", time(0, HOURS), Value("\"30s\""), Reload,
        "How long running requests may take to end after a stop."),

    key("admin.address", Address, Value("\"127.0.0.1:9180\""), Restart,
        "Where operators connect. Any address but loopback needs `certificate`, `private_key` and `hosts`."),
    key("admin.token_file", Path, Value("\"\""), Reload,
        "Bearer token of the user `local`, role `admin`. Empty: `admin.token` in `state_dir`. Made (mode 0600) if missing."),
    key("admin.certificate", Path, Value("\"\""), Reload,
        "PEM file for TLS on the operator side. Empty: plain HTTP, on loopback only. Changing the files' contents reloads; adding or removing needs a restart."),
    key("admin.private_key", Path, Value("\"\""), Reload, "PEM file: the key of that certificate."),
    key("admin.hosts", Hosts, Value("[]"), Reload,
        "Names under which operators reach this listener; others are refused, against DNS rebinding. Loopback names are always accepted.")
        .example("[\"gatekeeper.example\"]"),

    key("admin.user[].name", Name, Required, Reload, "Shown in the audit log.").example("\"alice\""),
    key("admin.user[].role", Choice(&["viewer", "operator", "approver", "admin"]), Required, Reload,
        "`viewer`: status without user or object names. `operator`: drain, quarantine, release, failback. `approver`: approve, reject, lift a guard. `admin`: all but approving alone.")
        .example("\"operator\""),
    key("admin.user[].token_file", Path, Required, Reload, "File with the bearer token; must exist.")
        .example("\"secrets/alice.token\""),

    key("metrics.address", AddressOrOff, Value("\"\""), Restart,
        "Where to scrape, without TLS and without a token. Empty: off; the same three paths are open on the admin listener."),

    key("upstream.connect_timeout", time(1, 5 * MINUTES), Value("\"250ms\""), Reload,
        "For TCP and TLS together. A connection refused or not made in this time moves the request to another instance."),
    key("upstream.response_timeout", time(1, 24 * HOURS), Value("\"60s\""), Reload,
        "From the end of the request to the head of the response; at least `connect_timeout`."),

    key("instance[].name", Name, Required, Reload, "Unique; used in metrics, logs and commands.").example("\"a\""),
    key("instance[].url", Origin, Required, Reload,
        "Where it answers: `https://` or `http://`, a host, perhaps a port; no path.")
        .example("\"https://vms-a.example\""),
    key("instance[].ca_file", Path, Unset("the system's trust store"), Reload,
        "PEM file: the private CA that signed the instance's certificate. Verification cannot be turned off.")
        .example("\"certs/vms-a-ca.pem\""),
    key("instance[].aliases", Origins, Value("[]"), Reload,
        "Other origins of this instance that its answers mention; URLs with them are rewritten like those with `url`.")
        .example("[\"http://vms-a.internal:8080\"]"),
    key("instance[].account", Table, Unset("no deep probes, no event matching, no sync"), Reload,
        "A basic user of the instance that only reads, for deep probes.")
        .example("{ username = \"gatekeeper\", password_file = \"secrets/a\" }"),
    key("instance[].account.username", Text, Required, Reload, "Basic user.").example("\"gatekeeper\""),
    key("instance[].account.password_file", Path, Required, Reload,
        "File with the password; a line break at the end is not part of it. Read when needed, so that a new password needs no reload.")
        .example("\"secrets/a\""),
    key("instance[].sync_account", Table, Unset("sync cannot write to the instance"), NotYet,
        "A basic user that may write, only for an instance that is a target of sync.")
        .example("{ username = \"gatekeeper-sync\", password_file = \"secrets/a-sync\" }"),
    key("instance[].sync_account.username", Text, Required, NotYet, "Basic user.").example("\"gatekeeper-sync\""),
    key("instance[].sync_account.password_file", Path, Required, NotYet, "File with the password.")
        .example("\"secrets/a-sync\""),

    key("site[].name", Name, Required, Reload, "Unique; used in metrics, logs and commands.").example("\"hq\""),
    key("site[].hosts", HostsOrAny, Required, Reload,
        "Names (or addresses) that clients use for this site, without port. `[\"*\"]`: every name that no other site has.")
        .example("[\"vms.example\"]"),
    key("site[].profile", Choice(&["xprotect", "http"]), Value("\"xprotect\""), Reload,
        "`xprotect`: services, sessions and documents of the VMS. `http`: any pair of web services; one service, no tokens."),
    key("site[].primary", Name, Required, Reload, "The instance that serves by default.").example("\"a\""),
    key("site[].standby", Texts, Value("[]"), Reload,
        "Instances that take over, in this order. An instance may be standby for many sites.")
        .example("[\"b\"]"),
    key("site[].ids", Choice(&["canonical", "native"]), Value("\"canonical\""), Reload,
        "`canonical`: clients see the primary's ids whoever serves. `native`: ids are left alone and logins are not twinned; for clients that open recorders themselves. Profile `xprotect`."),
    key("site[].twin", Choice(&["all", "non-administrators", "none"]), Value("\"all\""), Reload,
        "Whose logins are repeated on the standbys, so that they survive a switch. The standbys then see these passwords. Profile `xprotect`."),
    key("site[].twin_binding", Choice(&["address", "none"]), Value("\"address\""), Reload,
        "`address`: a twin is used only from the address that logged in (IPv6: its /64) or with its affinity cookie. Profile `xprotect`."),
    key("site[].pass", Prefixes, Value("[]"), Reload,
        "Path prefixes outside the API that are passed on, with `identity`. Profile `xprotect`.")
        .example("[\"/installation\"]"),
    key("site[].probe", UrlPath, Value("\"/\""), Reload,
        "Path that answers 2xx when healthy, always with the same media type; JSON has to be valid. Profile `http`; the same for all sites that share an instance."),
    key("site[].essential", Choices(&["identity", "config", "events", "webrtc", "soap", "http"]),
        Unset("`[\"identity\", \"config\"]`; profile `http`: `[\"http\"]`"), Reload,
        "Services without which a login makes no sense: new logins go to an instance that serves them, and `/readyz` is 503 while one is served nowhere.")
        .example("[\"identity\", \"config\"]"),

    key("health.interval", time(10, HOURS), Value("\"500ms\""), Reload, "Between two probes."),
    key("health.timeout", time(1, HOURS), Value("\"400ms\""), Reload, "For one probe; at most `interval`. A probe of `identity` or `config` asks two questions at the same time."),
    key("health.rise", Number { min: 1, max: 1000 }, Value("3"), Reload,
        "Probes passed in a row that make a service up."),
    key("health.fall", Number { min: 1, max: 1000 }, Value("2"), Reload,
        "Probes failed in a row that make a service down."),

    key("failback.mode", Choice(&["after-stable", "manual", "immediate"]), Value("\"after-stable\""), Reload,
        "`after-stable`: when the primary was healthy for `stable_for`. `manual`: when an operator says so. `immediate`: as soon as the primary is up."),
    key("failback.stable_for", time(1, 24 * HOURS), Value("\"30s\""), Reload,
        "For mode `after-stable`. Doubled, up to 10min, while a service comes and goes."),
    key("failback.standby_writes", Choice(&["allow", "refuse"]), Value("\"allow\""), Reload,
        "Changes of configuration while a standby serves `config`: `allow` passes and counts them, `refuse` answers 503."),
    key("failback.wait_for_sync", time(0, 24 * HOURS), Value("\"10min\""), NotYet,
        "How long the return of `config` waits for changes made on the standby to be carried back."),

    key("session.validate", Choice(&["auto", "never"]), Value("\"auto\""), Reload,
        "`auto`: tokens are checked against the keys that the instances publish before anything reaches one. `never`: they go unchecked to their home."),

    key("events.merge", Flag, Value("true"), NotYet,
        "One event session for the client, fed by both instances."),

    key("sync.enabled", Flag, Value("false"), Reload, "Read both sides, compare, plan. Nothing is written to an instance in this version."),
    key("sync.baseline", Choice(&["confirm", "auto"]), Value("\"confirm\""), Reload,
        "The first matching of objects: `confirm` waits for a person, `auto` does not."),
    key("sync.interval", time(100, 24 * HOURS), Value("\"5s\""), Reload, "Between two readings of changed objects and small types."),
    key("sync.full_interval", time(1000, 7 * 24 * HOURS), Value("\"15min\""), Reload,
        "Between two readings of everything, the only source of deletes; at least `interval`. Without `enabled`: between \
         two runs of the matcher that links the objects of both instances."),
    key("sync.delete_snapshots", Number { min: 1, max: 100 }, Value("2"), Reload,
        "Full readings in which an object must be missing before it counts as deleted."),
    key("sync.delete_min_age", time(0, 30 * 24 * HOURS), Value("\"15min\""), Reload,
        "How long an object must be missing before it counts as deleted."),
    key("sync.unconfirmed", Flag, Value("false"), Reload, "Also sync types whose form on the wire is not confirmed."),
    key("sync.canary", Choice(&["watch", "required"]), Value("\"watch\""), Reload,
        "`watch`: an instance whose canary object changed or vanished is not trusted. `required`: neither is one without."),

    key("sync.policy[].type", Name, Required, Reload, "Type of object, as in the API.").example("\"roles\""),
    key("sync.policy[].create", Choice(WORDS), Unset("by type"), Reload, "New objects: by itself, after approval, never.").example("\"approve\""),
    key("sync.policy[].update", Choice(WORDS), Unset("by type"), Reload, "Changed objects.").example("\"approve\""),
    key("sync.policy[].delete", Choice(WORDS), Unset("by type"), Reload, "Deleted objects.").example("\"never\""),
    key("sync.policy[].direction", Choice(&["primary-to-standby", "both"]), Value("\"primary-to-standby\""), Reload,
        "Which side's changes count."),
    key("sync.policy[].fields", Texts, Value("[]"), Reload, "Only these fields. Empty: all.").example("[\"description\"]"),

    key("sync.pair[].type", Name, Required, Reload, "Type of object, as in the API.").example("\"storages\""),
    key("sync.pair[].instances", Texts, Required, Reload, "Two instances.").example("[\"a\", \"b\"]"),
    key("sync.pair[].objects", Texts, Required, Reload, "The object's name or id on each of them, in the same order.")
        .example("[\"Local default\", \"Local default\"]"),

    key("sync.window[].kind", Choice(&["deny", "allow"]), Required, NotYet,
        "`deny`: nothing is applied in this time. `allow`: only in this time.").example("\"deny\""),
    key("sync.window[].days", Choices(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), Unset("every day"), NotYet,
        "Days on which it starts.").example("[\"mon\"]"),
    key("sync.window[].from", DayTime, Required, NotYet, "Start, `HH:MM`.").example("\"08:00\""),
    key("sync.window[].to", DayTime, Required, NotYet, "End, `HH:MM`; before `from`: on the next day.").example("\"18:00\""),
    key("sync.window[].timezone", Text, Value("\"UTC\""), NotYet, "Name of the time zone database.")
        .example("\"Europe/Berlin\""),

    key("sync.limits.*.create", Table, Unset("by type"), NotYet, "Limit of new objects in one plan.")
        .example("{ max = 500, percent = 30, from = 200 }"),
    key("sync.limits.*.create.max", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, MAX).example("500"),
    key("sync.limits.*.create.percent", Number { min: 0, max: 100 }, Unset("by type"), NotYet, PERCENT).example("30"),
    key("sync.limits.*.create.from", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, FROM).example("200"),
    key("sync.limits.*.update", Table, Unset("by type"), NotYet, "Limit of changed objects in one plan.")
        .example("{ max = 200, percent = 20, from = 50 }"),
    key("sync.limits.*.update.max", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, MAX).example("200"),
    key("sync.limits.*.update.percent", Number { min: 0, max: 100 }, Unset("by type"), NotYet, PERCENT).example("20"),
    key("sync.limits.*.update.from", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, FROM).example("50"),
    key("sync.limits.*.delete", Table, Unset("by type"), NotYet, "Limit of deleted objects in one plan.")
        .example("{ max = 25, percent = 5, from = 20 }"),
    key("sync.limits.*.delete.max", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, MAX).example("25"),
    key("sync.limits.*.delete.percent", Number { min: 0, max: 100 }, Unset("by type"), NotYet, PERCENT).example("5"),
    key("sync.limits.*.delete.from", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, FROM).example("20"),
    key("sync.limits.*.rename", Table, Unset("by type"), NotYet, "Limit of renamed objects in one plan.")
        .example("{ max = 50, percent = 10, from = 50 }"),
    key("sync.limits.*.rename.max", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, MAX).example("50"),
    key("sync.limits.*.rename.percent", Number { min: 0, max: 100 }, Unset("by type"), NotYet, PERCENT).example("10"),
    key("sync.limits.*.rename.from", Number { min: 0, max: 1_000_000 }, Unset("by type"), NotYet, FROM).example("50"),
];

const MAX: &str = "More than this many are held.";
const PERCENT: &str = "More than this share of the type is held, if it has at least `from` objects.";
const FROM: &str = "Number of objects from which `percent` counts.";
