//! `sync ...`: what two instances have, what would be done about it, what a person says.

mod approve;
mod canary;
mod coverage;
mod lists;
mod plan;
mod show;
mod status;

use clap::{Args, Subcommand};

use super::{Outcome, Remote, links, remote};

#[derive(Debug, Subcommand)]
pub(super) enum Sync {
    /// How sync stands: what was read, what is held, what is not trusted
    #[command(after_help = "Example:\n  gatekeeper sync status --json | jq '.pairs[].plan.hold'")]
    Status {
        #[command(flatten)]
        remote: Remote,
    },
    /// Read both sides now and say what would be done; writes to neither
    ///
    /// Progress goes to stderr. Everything that would not be done is named, too, with the reason.
    #[command(
        after_help = "Examples:\n  gatekeeper sync plan\n  gatekeeper sync plan --json | jq '.operations[] | select(.verdict == \"hold\")'\n\nExit code 3: something is held. 1: a side could not be read. 4: of several pairs of instances, one could not."
    )]
    Plan {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the newest plan again, or one of its operations with every field
    #[command(after_help = "Examples:\n  gatekeeper sync show\n  gatekeeper sync show 3")]
    Show {
        /// Number of an operation of the newest plan
        number: Option<u32>,
        #[command(flatten)]
        remote: Remote,
    },
    /// What was changed on the target alone, since when, and how that spreads
    #[command(after_help = "Example:\n  gatekeeper sync drift --type roles")]
    Drift(OfType),
    /// Objects that both sides have changed in ways that do not fit together
    #[command(after_help = "Example:\n  gatekeeper sync conflicts")]
    Conflicts(OfType),
    /// Objects that may be the same as others, and why nobody but a person may say so
    #[command(
        after_help = "Examples:\n  gatekeeper sync disputes\n  gatekeeper sync links add roles a=ID b=ID --reason TEXT    settles one"
    )]
    Disputes(OfType),
    /// What sync can see and carry over, by type; and what it cannot see at all
    #[command(
        after_help = "Examples:\n  gatekeeper sync coverage\n  gatekeeper sync coverage --type cameras"
    )]
    Coverage(OfType),
    /// Links between objects: list, add, remove, match now
    ///
    /// Hardware is linked by its address, devices by hardware, type and channel, groups by their path,
    /// most others by their name; only what is unique on both instances. What gives rights (roles,
    /// users, login providers, rules) is linked by itself only when the baseline is confirmed, and
    /// then by `add` only.
    #[command(after_help = links::LIST_EXAMPLES)]
    Links(links::Links),
    /// Confirm the baseline, or let a reading pass
    #[command(subcommand)]
    Approve(approve::Approve),
    /// How to make a canary object, by which a replaced or encrypted database is noticed
    #[command(after_help = "Example:\n  gatekeeper sync canary --print")]
    Canary {
        /// Print how to make it on an instance
        #[arg(long, required = true)]
        print: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct OfType {
    /// Only objects of this type, such as cameras
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Sync {
    pub(super) fn perform(self) -> Outcome {
        match self {
            Self::Status { remote } => remote::perform(&remote, status::Status),
            Self::Plan { remote } => remote::perform(&remote, plan::Plan),
            Self::Show { number: None, remote } => remote::perform(&remote, show::Newest),
            Self::Show { number: Some(number), remote } => {
                remote::perform(&remote, show::Operation { number })
            }
            Self::Drift(of) => remote::perform(&of.remote, lists::Drift { kind: of.kind }),
            Self::Conflicts(of) => remote::perform(&of.remote, lists::Conflicts { kind: of.kind }),
            Self::Disputes(of) => remote::perform(&of.remote, lists::Disputes { kind: of.kind }),
            Self::Coverage(of) => remote::perform(&of.remote, coverage::Coverage { kind: of.kind }),
            Self::Links(links) => links.perform(),
            Self::Approve(word) => word.perform(),
            Self::Canary { print: _ } => canary::print(),
        }
    }
}

/// `path`, for one type only.
fn of_type(path: &str, kind: Option<&String>) -> String {
    kind.map_or_else(|| path.to_owned(), |kind| format!("{path}?type={}", links::escaped(kind)))
}
