//! The command line of the demo.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, ValueEnum};

/// Two simulated XProtect instances and the gatekeeper in front of them, on loopback.
///
/// Without a scenario it serves until Ctrl-C and says what to try with curl. With one, it runs the scenario
/// under load, prints a report on stdout and ends; progress goes to stderr.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", after_help = EXAMPLES)]
pub struct Args {
    /// What to run
    #[arg(long, value_enum)]
    pub scenario: Option<Scenario>,
    /// Print the report as JSON
    #[arg(long, requires = "scenario")]
    pub json: bool,
    /// xprotect: clients log in and read cameras. http: they read a public document, nobody logs in
    #[arg(long, value_enum, default_value_t = Profile::Xprotect)]
    pub profile: Profile,
    /// Faults of the scenarios failover and sessions, in this order [default: kill, hang, blackhole, page503,
    /// wrong-body for failover; kill, hang, drain, quarantine for sessions]
    #[arg(long, value_enum, value_delimiter = ',', requires = "scenario")]
    faults: Vec<Fault>,
    /// Requests a second, over all connections
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub rate: u32,
    /// Clients; each has one TLS connection and, with profile xprotect, a user of its own [default: 16; 200
    /// for sessions]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    connections: Option<u32>,
    /// flap: how long [300]; slow: how long the primary is slow [20]
    #[arg(long, value_name = "N", requires = "scenario", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: Option<u64>,
    /// Keep certificates, configuration, state and logs below this directory [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Args {
    /// How many clients.
    pub fn clients(&self) -> u32 {
        let usual = if self.scenario == Some(Scenario::Sessions) { 200 } else { 16 };
        self.connections.unwrap_or(usual)
    }

    /// The faults of the scenario.
    pub fn faults(&self) -> Vec<Fault> {
        use Fault::{Blackhole, Drain, Hang, Kill, Page503, Quarantine, WrongBody};
        match self.scenario {
            _ if !self.faults.is_empty() => self.faults.clone(),
            Some(Scenario::Sessions) => vec![Kill, Hang, Drain, Quarantine],
            _ => vec![Kill, Hang, Blackhole, Page503, WrongBody],
        }
    }
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// The primary dies in several ways, one after the other, and comes back
    Failover,
    /// The primary is down 3 s and up 3 s, again and again
    Flap,
    /// Every answer of the primary takes five times as long
    Slow,
    /// Logged-in users, each with a socket and ids in mind, ride through faults and orders of operators
    Sessions,
    /// Two sites that differ and are edited: what would be done about it, what cannot be known, and that
    /// nothing is written
    Drift,
}

/// Which of the gatekeeper's profiles serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Services, logins, tokens.
    Xprotect,
    /// Any web service.
    Http,
}

impl Profile {
    /// The word of the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xprotect => "xprotect",
            Self::Http => "http",
        }
    }
}

/// What happens to the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// SIGKILL; later the same instance starts again
    Kill,
    /// Connections are accepted, requests read, nothing is answered
    Hang,
    /// No packet is answered
    Blackhole,
    /// 503 with an HTML page
    Page503,
    /// 200 with a page that nobody asked for
    WrongBody,
    /// An operator lets no new session begin there
    Drain,
    /// An operator trusts it no longer
    Quarantine,
}

impl Fault {
    /// Its name here and in the simulator's control API, or of the operator's command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Blackhole => "blackhole",
            Self::Page503 => "page503",
            Self::WrongBody => "wrong-body",
            Self::Drain => "drain",
            Self::Quarantine => "quarantine",
        }
    }
}

/// Reads the arguments.
///
/// # Errors
/// A usage error, or help that was asked for.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Args, clap::Error> {
    let args = Args::try_parse_from(args)?;
    let refuse = |text| Err(Args::command().error(ErrorKind::ArgumentConflict, text));
    match args.scenario {
        Some(Scenario::Failover | Scenario::Sessions | Scenario::Drift) if args.seconds.is_some() => {
            refuse("--seconds is for the scenarios flap and slow; the others have their own length")
        }
        Some(Scenario::Sessions) if args.profile == Profile::Http => {
            refuse("--scenario sessions needs --profile xprotect: with profile http nobody logs in")
        }
        Some(Scenario::Drift) if args.profile == Profile::Http => {
            refuse("--scenario drift needs --profile xprotect: with profile http there is nothing to compare")
        }
        _ => Ok(args),
    }
}

const EXAMPLES: &str = "Examples:
  cargo run --release --example demo
  cargo run --release --example demo -- --scenario failover
  cargo run --release --example demo -- --scenario failover --profile http --faults kill,hang --json
  cargo run --release --example demo -- --scenario flap --seconds 60
  cargo run --release --example demo -- --scenario slow --dir /tmp/demo
  cargo run --release --example demo -- --scenario sessions
  cargo run --release --example demo -- --scenario drift --json | jq .edits

Exit codes: 0 the scenario ran through, whatever it measured; 2 usage; 1 it could not run, or a promise was
broken: sessions: an answer for somebody else, a 404 for an id that the client had been given, a change sent twice;
drift: the gatekeeper wrote to an instance, something followed from a list that could not be read, an edit was not
seen";
