//! The published schema: every type and verb of the protocol sheet, walked against the simulator alone and through the
//! gatekeeper, which must pass every byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod catalogue;
mod instances;
mod shape;
mod sheet;
mod walk;
mod walker;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;
use sheet::Sheet;
use support::config::Config;
use support::gatekeeper::Gatekeeper;
use support::sim::Sim;
use walker::Walker;

static SHEET: LazyLock<Sheet> = LazyLock::new(Sheet::read);

/// Documents whose addresses the gatekeeper replaces by its own (design D11).
const READDRESSED: [&str; 3] = ["registeredservices", "systemaddresses", "siteaddresses"];

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_as_the_sheet_says() {
    let a = Sim::start("a", &[]);
    let mut walker = Walker::new(&SHEET, a.http()).await;
    walk::everything(&mut walker, &SHEET).await;
    report(&walker);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gatekeeper_passes_every_byte() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::twinned(&[&a, &b])).await;
    let mut walker = Walker::new(&SHEET, gatekeeper.h1()).await;
    walk::everything(&mut walker, &SHEET).await;

    let mut sent: HashMap<usize, Vec<Value>> = HashMap::new();
    for request in a.requests().await {
        let head = request["head"].as_str().unwrap_or_default();
        let number = head.split("x-walk: ").nth(1).and_then(|rest| rest.split(';').next());
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            sent.entry(number).or_default().push(request["answer"].clone());
        }
    }
    let mut compared = 0;
    for asked in &walker.asked {
        let rewritten = READDRESSED.iter().any(|name| asked.path.to_ascii_lowercase().contains(name));
        if rewritten && asked.status < 300 {
            continue;
        }
        let got = (u64::from(asked.status), asked.body_sha256.as_str());
        let answers = sent.get(&asked.n).map_or(&[][..], Vec::as_slice);
        let same = answers.iter().any(|answer| {
            (answer["status"].as_u64(), answer["sha256"].as_str()) == (Some(got.0), Some(got.1))
        });
        assert!(
            same,
            "{} {}: the client got {got:?}, the instance sent {answers:?}",
            asked.method, asked.path
        );
        compared += 1;
    }
    assert!(compared > 1000, "{compared} answers were compared");
    println!("{compared} answers are the same, byte for byte");
    report(&walker);
}

fn report(walker: &Walker<'_>) {
    let (rows, types) = (walker.rows, SHEET.resources.len());
    println!("{rows} rows over {types} resources, {} not as the sheet says", walker.failures.len());
    assert!(
        walker.failures.is_empty(),
        "{} of {rows} rows:\n{}",
        walker.failures.len(),
        walker.failures.join("\n")
    );
}
