//! The command line: what can be said to the program, and how it answers (design section 5).
//!
//! `run` and `check` work on a configuration file; every other command talks to a running
//! gatekeeper through its admin API. One file a command.

pub mod check;
mod client;
pub mod coverage;
mod failback;
mod links;
mod overrides;
mod remote;
pub mod run;
mod sessions;
mod status;
mod sync;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// How a command ended; scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for is done.
    Done,
    /// It failed; nothing was changed, unless the message says otherwise.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// It waits for something, such as an approval.
    Held,
    /// Some of it is done; the output says what is not.
    Partly,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Usage => 2,
            Outcome::Held => 3,
            Outcome::Partly => 4,
        })
    }
}

/// Parses the arguments, the program's name first, and does what they say.
pub fn run_from(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come here too: stdout and 0; mistakes: stderr and 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match cli.command {
        Command::Run { config } => run::run(&config),
        Command::Check { config } => check::check(&config),
        Command::Status { remote } => remote::perform(&remote, status::Status).into(),
        Command::Sessions { remote } => remote::perform(&remote, sessions::Sessions).into(),
        Command::Drain { instance, order } => hold(overrides::Kind::Drain, instance, order).into(),
        Command::Quarantine { instance, order } => hold(overrides::Kind::Quarantine, instance, order).into(),
        Command::Release { instance, all, order } => {
            remote::perform(&order.remote, overrides::Release { instance, all, reason: order.reason }).into()
        }
        Command::Sync { part } => part.perform().into(),
        Command::Failback { site, service, order } => {
            remote::perform(&order.remote, failback::Failback { site, service, reason: order.reason }).into()
        }
    }
}

fn hold(kind: overrides::Kind, instance: String, order: Order) -> Outcome {
    remote::perform(&order.remote, overrides::Hold { kind, instance, reason: order.reason })
}

/// The front door of an active-active video management system.
///
/// Clients address one name; each service is served by whichever of two complete VMS instances can.
#[derive(Debug, Parser)]
#[command(name = "gatekeeper", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM
    ///
    /// Reads the configuration, opens the listeners, prints one line `ready {...}` on stdout and
    /// serves. SIGHUP reads the configuration again; SIGTERM or SIGINT lets running requests finish
    /// (drain_timeout) and ends. Logs go to stderr, GATEKEEPER_LOG filters them.
    #[command(
        after_help = "Examples:\n  gatekeeper run --config /etc/gatekeeper/gatekeeper.toml\n  GATEKEEPER_LOG=debug gatekeeper run --config gatekeeper.toml"
    )]
    Run {
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Validate a configuration and print what would be served
    ///
    /// Opens no socket and touches no instance. Names file, line, key and remedy of every error.
    #[command(
        after_help = "Example:\n  gatekeeper check --config gatekeeper.toml && systemctl reload gatekeeper"
    )]
    Check {
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show who serves what, and why
    #[command(
        after_help = "Examples:\n  gatekeeper status\n  gatekeeper status --json | jq '.sites[].services[] | {service, serving}'\n  gatekeeper status --admin https://gate.example:9180 --token-file my.token --ca ca.pem"
    )]
    Status {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show how many logins there are, and who cannot fail over
    ///
    /// By site, by the instance where they logged in (home), and by twin: whether a session has a
    /// token at another instance and so survives the loss of its home, or why not. Users are named
    /// to operators, not to viewers.
    #[command(
        after_help = "Examples:\n  gatekeeper sessions\n  gatekeeper sessions --json | jq '.cannot_fail_over'"
    )]
    Sessions {
        #[command(flatten)]
        remote: Remote,
    },
    /// Take an instance out of service
    ///
    /// New sessions and requests go to another instance; sessions that live only on this one stay
    /// until they end. Holds, also over restarts, until `release`.
    #[command(after_help = "Example:\n  gatekeeper drain a --reason \"Windows updates\"")]
    Drain {
        /// Name of the instance
        instance: String,
        #[command(flatten)]
        order: Order,
    },
    /// Treat an instance as hostile
    ///
    /// Within a second nothing goes to it any more: no request, no credential, no probe. What is
    /// connected to it is closed, tunnels and running requests included, and nothing that it has
    /// said is trusted. Sessions that live only on it end. Holds, also over restarts, until `release`.
    #[command(after_help = "Example:\n  gatekeeper quarantine a --reason \"ransom note on its server\"")]
    Quarantine {
        /// Name of the instance
        instance: String,
        #[command(flatten)]
        order: Order,
    },
    /// Put an instance back into service
    ///
    /// Ends its overrides. When it serves again is decided by the fail-back policy.
    #[command(
        after_help = "Examples:\n  gatekeeper release a --reason \"updates done\"\n  gatekeeper release --all --reason \"end of exercise\""
    )]
    Release {
        /// Name of the instance
        #[arg(required_unless_present = "all")]
        instance: Option<String>,
        /// Every instance
        #[arg(long, conflicts_with = "instance")]
        all: bool,
        #[command(flatten)]
        order: Order,
    },
    /// See which objects of two instances are the same, what differs, what would be done about it
    ///
    /// Nothing is written to an instance in this version.
    #[command(after_help = SYNC_EXAMPLES)]
    Sync {
        #[command(subcommand)]
        part: sync::Sync,
    },
    /// Return services to their primary now
    ///
    /// What policy would do later (after-stable) or never by itself (manual). Only to a primary that
    /// is healthy and not drained. Without SITE every site, without SERVICE every service.
    #[command(
        after_help = "Examples:\n  gatekeeper failback --reason \"primary repaired\"\n  gatekeeper failback hq config --reason \"primary repaired\"\n\nExit code 4: some services could not return; the output says why."
    )]
    Failback {
        /// Name of the site
        site: Option<String>,
        /// identity, config, events, webrtc, soap or http
        service: Option<String>,
        #[command(flatten)]
        order: Order,
    },
}

/// Where the gatekeeper is and who asks.
#[derive(Debug, Args)]
struct Remote {
    /// Where the gatekeeper's admin API listens
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9180")]
    admin: String,
    /// File with the admin token
    #[arg(long, value_name = "FILE", default_value = "state/admin.token")]
    token_file: PathBuf,
    /// CA that signed the admin certificate (https; default: the system's)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// What every command that changes something needs.
#[derive(Debug, Args)]
struct Order {
    /// Why: goes into the audit log
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    remote: Remote,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 held, 4 partly done\n\n\
Examples:\n  gatekeeper check --config gatekeeper.toml\n  gatekeeper run --config gatekeeper.toml\n  \
gatekeeper status\n  gatekeeper drain a --reason \"Windows updates\"\n  gatekeeper COMMAND --help";

const SYNC_EXAMPLES: &str = "Examples:\n  gatekeeper sync plan\n  gatekeeper sync drift\n  gatekeeper sync approve baseline --reason \"looked at all links\"";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("gatekeeper").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_is_consistent_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{}", command.get_name());
        }
    }

    #[test]
    fn what_is_accepted() {
        for line in [
            "run --config x.toml",
            "check --config x.toml",
            "status",
            "sessions --json",
            "status --json --admin http://127.0.0.1:1 --token-file t",
            "drain a --reason because",
            "quarantine a --reason because",
            "release a --reason because",
            "release --all --reason because",
            "failback --reason because",
            "failback hq --reason because",
            "failback hq config --reason because --json",
            "sync links",
            "sync links --type cameras --json",
            "sync links list --type cameras --admin http://127.0.0.1:1",
            "sync links add cameras a=1 b=2 --reason because",
            "sync links remove cameras a=1 b=2 --reason because --json",
            "sync links run --accept-losses --json",
            "sync status --json",
            "sync plan",
            "sync show",
            "sync show 3 --json",
            "sync drift --type roles",
            "sync conflicts",
            "sync disputes",
            "sync coverage --type cameras --json",
            "sync approve baseline --reason because",
            "sync approve baseline a b --reason because",
            "sync approve reading cameras --instance a --reason because",
            "sync canary --print",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn what_is_a_usage_error() {
        for line in [
            "",
            "run",
            "check",
            "drain a",
            "quarantine a",
            "drain --reason because",
            "drain a --reason=",
            "release --reason because",
            "release a --all --reason because",
            "failback",
            "status --config x",
            "sync",
            "sync links add cameras a=1 --reason because",
            "sync links add cameras a=1 b=2",
            "sync links add cameras a 2 --reason because",
            "sync links add a=1 b=2 --reason because",
            "sync links run --type cameras",
            "sync show x",
            "sync approve",
            "sync approve baseline",
            "sync approve baseline a --reason because",
            "sync approve reading cameras --reason because",
            "sync canary",
            "explode",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(parse("--help").unwrap_err().exit_code(), 0);
        assert_eq!(parse("--version").unwrap_err().exit_code(), 0);
    }
}
