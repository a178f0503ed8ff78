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
    /// Faults of scenario failover, in this order
    #[arg(long, value_enum, value_delimiter = ',', requires = "scenario", default_values_t = [
        Fault::Kill, Fault::Hang, Fault::Blackhole, Fault::Page503, Fault::WrongBody,
    ])]
    pub faults: Vec<Fault>,
    /// Requests a second, over all connections
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub rate: u32,
    /// Clients; each has one TLS connection and, with profile xprotect, a user of its own
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub connections: u32,
    /// flap: how long [300]; slow: how long the primary is slow [20]
    #[arg(long, value_name = "N", requires = "scenario", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: Option<u64>,
    /// Keep certificates, configuration, state and logs below this directory [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
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

/// How the primary dies.
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
}

impl Fault {
    /// Its name here and in the simulator's control API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Blackhole => "blackhole",
            Self::Page503 => "page503",
            Self::WrongBody => "wrong-body",
        }
    }
}

/// Reads the arguments.
///
/// # Errors
/// A usage error, or help that was asked for.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Args, clap::Error> {
    let args = Args::try_parse_from(args)?;
    if args.seconds.is_some() && args.scenario == Some(Scenario::Failover) {
        let text = "--seconds is for the scenarios flap and slow; each fault of failover has its own length";
        return Err(Args::command().error(ErrorKind::ArgumentConflict, text));
    }
    Ok(args)
}

const EXAMPLES: &str = "Examples:
  cargo run --release --example demo
  cargo run --release --example demo -- --scenario failover
  cargo run --release --example demo -- --scenario failover --profile http --faults kill,hang --json
  cargo run --release --example demo -- --scenario flap --seconds 60
  cargo run --release --example demo -- --scenario slow --dir /tmp/demo

Exit codes: 0 the scenario ran through, whatever it measured; 1 it could not run; 2 usage";
