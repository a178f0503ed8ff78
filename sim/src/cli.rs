//! The command line: arguments in, a served instance out. Also called by the demo, which starts itself again
//! as an instance.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::Api;
use crate::control;
use crate::eventserver;
use crate::feed::FeedSettings;
use crate::instance::Instance;
use crate::server::breaker::Breaker;
use crate::server::{listener, tls};
use crate::settings::{Settings, Version};
use crate::socket::recycle;
use crate::stamp::SECOND;
use crate::switches::Switches;

/// One simulated XProtect VMS instance. Prints `ready {"listener": ..., "control": ...}` on standard output
/// when it serves; logs go to standard error (RUST_LOG). SIGTERM and SIGINT end it.
#[derive(Debug, Parser)]
#[command(name = "xprotect-sim", version)]
struct Arguments {
    /// Name of the instance; with the seed it decides every id, key and the issuer
    #[arg(long, value_parser = name)]
    name: String,
    /// Address of the VMS; port 0 takes a free one
    #[arg(long)]
    listen: SocketAddr,
    /// Address of the control API (below)
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Seed of the physical site; instances of one seed record the same cameras
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cameras of the physical site
    #[arg(long, default_value_t = 50, value_parser = up_to::<100_000>)]
    cameras: usize,
    /// Basic users besides `admin` (user1 ...), and as many Windows users, at least two (VMS\win1 ...). Passwords are
    /// NAME-password, without the domain; odd numbers are Operators, even ones Guards
    #[arg(long, default_value_t = 20, value_parser = up_to::<100_000>)]
    users: usize,
    /// Product version, which decides what the VMS knows
    #[arg(long, default_value = "25.2")]
    version_number: Version,
    /// Origin in every absolute URL [default: scheme and address of --listen]
    #[arg(long, value_parser = origin)]
    public_url: Option<String>,
    /// Lifetime of access tokens
    #[arg(long, default_value = "3600s", value_parser = humantime::parse_duration)]
    token_lifetime: Duration,
    /// Share of the objects that this instance lacks or has changed, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    diverge: f64,
    /// Certificate chain (PEM); makes --listen speak TLS
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Physical events a second on the whole site
    #[arg(long, default_value_t = 2.0, value_parser = rate)]
    event_rate: f64,
    /// Added to the time stamps of events, such as 300ms or -2s
    #[arg(long, default_value = "0ms", value_parser = signed_ticks, allow_hyphen_values = true)]
    skew: i64,
    /// Longest delay between an event and its arrival
    #[arg(long, default_value = "50ms", value_parser = short_span)]
    jitter: Duration,
    /// Sets a switch (repeatable); the list is below
    #[arg(long = "set", value_name = "NAME=VALUE")]
    switches: Vec<String>,
}

const EXAMPLES: &str = "Control API (JSON):
  GET /state /writes /requests?since=N /events?since=N /faults
  POST /events {physical, camera: <index>, type: motion-started | ... | <id>}
  POST /faults {service: identity|config|events|webrtc|soap|all, mode, ...}   DELETE /faults[?service=NAME][&mode=NAME]
  Connections (one a service, a new one replaces it): stop page503 hang slow{ms} wrong-body reset; for all only: blackhole
  Data (any number, one of each mode and type, field or camera; no DELETE of `all` alone lifts them):
    config  list-error list-empty page-cut truncated-json html, each {type?}   schema{type, field, how: missing|null|
            retyped|unknown}   normalise{type, field}   encrypted{share}   write-error{status}   lost-answer
            clock{offset_s}
    events  loss{share, camera?} skew{ms} drift{ppm} step{ms} (adds up) delay{ms} burst{factor} replay{n} stall
  Done once, never listed, not undone by DELETE: config restore{to: UNIX time}; events drop, recycle
  GET /events has what this instance reported, by arrival: nothing that loss took; delayed events once they are in;
  times with skew, drift and step, as on the wire; no second entry for a replay; numbers from 2^52 on are a burst's

Examples:
  xprotect-sim --name A --listen 127.0.0.1:8080 --control 127.0.0.1:8081
  xprotect-sim --name B --listen 127.0.0.1:0 --seed 7 --cameras 200 --diverge 0.02
  xprotect-sim --name A --listen 127.0.0.1:8443 --tls-cert cert.pem --tls-key key.pem --set hidden=403
  curl -X POST http://127.0.0.1:8081/faults -d '{\"service\":\"events\",\"mode\":\"slow\",\"ms\":800}'
";

/// Runs the simulator with these arguments; the first is the program's name. Exit codes: 0 stopped, 1
/// failed, 2 usage.
pub fn run_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (arguments, switches) = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nobody to tell when the terminal is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Fails when the embedding program has set a subscriber; then that one is used.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init();
    match serve(arguments, switches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Arguments, Switches), clap::Error> {
    let command = || {
        // `--version` is the simulated product's, so the program's own has no flag.
        Arguments::command()
            .disable_version_flag(true)
            .mut_arg("version_number", |argument| argument.long("version").value_name("VERSION"))
            .after_help(format!("Switches for --set:\n{}\n{EXAMPLES}", Switches::help()))
    };
    let parsed = Arguments::from_arg_matches(&command().try_get_matches_from(arguments)?)?;
    let mut switches = Switches::default();
    for assignment in &parsed.switches {
        switches.set(assignment).map_err(|error| {
            let text = format!("--set: {error} (see --help)\n");
            command().error(clap::error::ErrorKind::ValueValidation, text)
        })?;
    }
    Ok((parsed, switches))
}

fn serve(arguments: Arguments, switches: Switches) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("runtime")?;
    let result = runtime.block_on(run(arguments, switches));
    // Open connections must not keep the process.
    runtime.shutdown_background();
    result
}

async fn run(arguments: Arguments, switches: Switches) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::load(certificate, key)?),
        _ => None,
    };
    let socket = listener::bind(arguments.listen)
        .with_context(|| format!("--listen: cannot listen on {}", arguments.listen))?;
    let control = listener::bind(arguments.control)
        .with_context(|| format!("--control: cannot listen on {}", arguments.control))?;
    let (address, control_address) = (socket.local_addr()?, control.local_addr()?);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let settings = Settings {
        name: arguments.name,
        seed: arguments.seed,
        cameras: arguments.cameras,
        users: arguments.users,
        version: arguments.version_number,
        public_url: arguments.public_url.unwrap_or_else(|| format!("{scheme}://{address}")),
        token_lifetime: arguments.token_lifetime,
        diverge: arguments.diverge,
        switches,
    };
    let feed = FeedSettings {
        rate: arguments.event_rate,
        skew: arguments.skew,
        jitter: u64::try_from(arguments.jitter.as_nanos() / 100).unwrap_or(u64::MAX),
    };
    let instance = Arc::new(Instance::new(Api::new(settings)?, feed));
    instance.feed.remember_states();
    tokio::spawn(eventserver::watch(Arc::clone(&instance.api)));
    tokio::spawn(Arc::clone(&instance.feed).run());
    tokio::spawn(recycle::run(Arc::clone(&instance)));
    let handle = listener::start(Arc::clone(&instance), socket, tls)?;
    let breaker = Arc::new(Breaker::new(Arc::clone(&instance), handle));
    tokio::spawn(control::run(control, Arc::clone(&instance), breaker));
    tracing::info!(name = instance.api.settings().name, %address, control = %control_address, "serving");
    let ready = json!({ "listener": address.to_string(), "control": control_address.to_string() });
    let mut out = std::io::stdout();
    writeln!(out, "ready {ready}").and_then(|()| out.flush()).context("standard output")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 63 || !text.chars().all(fits) {
        return Err("1 to 63 letters, digits, - and _".into());
    }
    Ok(text.to_owned())
}

fn up_to<const MOST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= MOST => Ok(number),
        _ => Err(format!("a whole number, 0 to {MOST}")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("a number, 0 to 1".into()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=10_000.0).contains(&number) => Ok(number),
        _ => Err("a number, 0 to 10000".into()),
    }
}

fn origin(text: &str) -> Result<String, String> {
    let uri: ::http::Uri = text.parse().map_err(|error| format!("{error}"))?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
    match (scheme, uri.authority(), uri.path(), uri.query()) {
        (Some(scheme), Some(authority), "" | "/", None) => Ok(format!("{scheme}://{authority}")),
        _ => Err("must look like https://vms-a.example or http://127.0.0.1:8080".into()),
    }
}

/// A day is more than any test needs, and keeps sums far from overflow.
const LONGEST_SPAN: Duration = Duration::from_secs(86_400);

fn short_span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if span > LONGEST_SPAN { Err("at most one day".into()) } else { Ok(span) }
}

fn signed_ticks(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = short_span(rest)?;
    // At most a day, so both factors are small.
    Ok(sign * (span.as_secs().cast_signed() * SECOND + i64::from(span.subsec_nanos() / 100)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<(Arguments, Switches), clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_documented_line() {
        let line = "xprotect-sim --name A --listen 127.0.0.1:0 --control 127.0.0.1:0 --seed 3 --cameras 5 \
                    --users 2 --version 24.1 --public-url http://vms-a.test/ --token-lifetime 60s --diverge 0.1 \
                    --event-rate 20 --skew -250ms --jitter 1s --set hidden=403";
        let (arguments, switches) = arguments(line).unwrap();
        assert_eq!(arguments.version_number, Version { major: 24, minor: 1 });
        assert_eq!(arguments.public_url.as_deref(), Some("http://vms-a.test"));
        assert_eq!(arguments.skew, -2_500_000);
        assert_eq!(switches.get(&crate::switches::HIDDEN), "403");
    }

    #[test]
    fn usage_errors() {
        for line in [
            "sim --name A",
            "sim --name A --listen nowhere",
            "sim --name A/B --listen 127.0.0.1:0",
            "sim --name A --listen 127.0.0.1:0 --tls-cert c",
            "sim --name A --listen 127.0.0.1:0 --diverge 2",
            "sim --name A --listen 127.0.0.1:0 --set hiden=1",
            "sim --name A --listen 127.0.0.1:0 --public-url ftp://x",
            "sim --name A --listen 127.0.0.1:0 --version 25",
        ] {
            assert!(arguments(line).unwrap_err().use_stderr(), "{line}");
        }
        let help = arguments("sim --help").unwrap_err();
        assert!(!help.use_stderr());
        assert!(help.to_string().contains("ess-two-sockets"));
    }
}
