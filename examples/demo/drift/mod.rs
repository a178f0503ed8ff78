//! Two sites that differ and are edited while the gatekeeper watches: what would be done about it, what would
//! not and why, what cannot be known, and the proof that nothing was written.

mod doubts;
mod edits;
mod groups;
mod operator;
mod pairs;
mod person;
mod report;

use serde_json::Value;

use super::args::Args;
use super::progress::Progress;
use super::stage::{Instances, Place};
use doubts::Doubt;
use edits::Edit;
use operator::{Operator, list, text as word};
use person::{Person, Written};
pub use report::{text, to_json};

/// Everything that was seen.
pub struct Report {
    /// Before anybody had confirmed what was paired.
    unconfirmed: Value,
    /// Afterwards.
    plan: Value,
    edits: Vec<Edit>,
    doubts: Vec<Doubt>,
    coverage: Value,
    written: Vec<Written>,
}

/// Runs it.
pub async fn run(args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Report> {
    progress.say(&format!("drift: two sites of {CAMERAS} cameras that differ, with sync; about {SECONDS} s"));
    progress.step("starting two instances");
    let (both, standby) = (["--cameras", CAMERAS], ["--diverge", DIVERGE]);
    let instances = Instances::start(place.below("drift")?, args, &both, &standby).await?;
    let mut person = Person::log_in(&instances).await?;
    progress.step("the operator pairs recording servers and storages, all but one");
    let sync = pairs::configuration(&mut person).await?;
    progress.step("starting the gatekeeper; it reads both sides");
    let stage = instances.guard(args, "2s", &sync).await?;
    let mut operator = Operator::new(&stage)?;
    let unconfirmed = operator.first_plan().await?;
    progress.step("the operator confirms what was paired");
    operator.confirm_baseline().await?;
    let plan = operator.plan().await?;
    let edits = edits::perform(&mut person, &mut operator, &plan, progress).await?;
    let doubts = doubts::provoke(&stage.primary, &mut operator, progress).await?;
    progress.step("asking both instances what was written to them");
    let coverage = operator.get("/v1/sync/coverage").await?;
    let written = person.written().await?;
    Ok(Report { unconfirmed, plan, edits, doubts, coverage, written })
}

impl Report {
    /// Whether a promise was broken.
    pub fn is_broken(&self) -> bool {
        !self.broken().is_empty()
    }

    /// The promises that were broken, a sentence each.
    fn broken(&self) -> Vec<String> {
        let early = list(&self.unconfirmed, "operations").iter().filter(|o| word(o, "verdict") == "pass");
        let early = match early.count() {
            0 => None,
            n => Some(format!("{n} operations would have been done before anybody confirmed the baseline")),
        };
        let unseen = self.edits.iter().filter(|e| e.seen_after.is_none());
        let unseen = unseen.map(|e| format!("an edit was not seen: {}", e.what));
        let followed = self.doubts.iter().filter(|d| !d.followed.is_empty());
        let followed = followed.map(|d| format!("{}: {}", d.what, d.follows()));
        let changed = self.doubts.iter().filter(|d| !d.healed);
        let changed = changed.map(|d| format!("{}: afterwards the plan was not as before", d.what));
        let wrote = self.written.iter().flat_map(|w| {
            let others = w.by_others.iter().map(|o| format!("instance {} was written to: {o}", w.instance));
            let missing = w.missing.iter();
            others.chain(missing.map(|m| format!("instance {} does not know of an edit: {m}", w.instance)))
        });
        early.into_iter().chain(unseen).chain(followed).chain(changed).chain(wrote).collect()
    }
}

/// More than two pages: a list that ends after the second is not whole.
const CAMERAS: &str = "410";
/// Share of the standby's objects that are missing or changed.
const DIVERGE: &str = "0.05";
/// Rough.
const SECONDS: u64 = 30;
