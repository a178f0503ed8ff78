//! `docs/coverage.md`, made from the catalogue.

use std::collections::BTreeMap;

use super::{State, Treatment, state, words};
use crate::sync::catalogue::unseen::{NO_OBJECTS, UNSEEN};
use crate::sync::catalogue::{How, Kind, Policy, Type};
use crate::sync::plan::Rules;

/// The whole document.
pub fn document() -> String {
    let mut out = String::from(
        "# What sync covers\n\n\
         Generated from `src/sync/catalogue`; do not edit (`UPDATE_DOCS=1 cargo test --lib sync::coverage` writes it).\n\n\
         Every type of object of the XProtect configuration API, and what sync does with it when nothing is said in\n\
         `[[sync.policy]]`. `gatekeeper sync coverage` says the same about two running instances, with their versions\n\
         and the policies in force.\n\n\
         Words of the column *state*:\n\n",
    );
    for state in State::ALL {
        out.push_str(&format!("- *{}*: {}\n", state.as_str(), state.meaning()));
    }
    out.push_str(
        "\nWords of the column *API*, which says how far the API goes: *full*: objects are created, changed (or made\n\
         anew) and removed; *by-task*: the same, some of it by tasks; *update-only*: only changed; *compare-only*: only\n\
         read. *Unconfirmed*: no public source shows all of it, so it takes part only with\n\
         `[sync] unconfirmed = true`.\n\n\
         The columns *create*, *change* and *remove* are the default policies; `-`: the API, or the nature of the\n\
         type, does not allow it.\n\n\
         ## Types\n\n\
         | type | state | API | create | change | remove | to know |\n|---|---|---|---|---|---|---|\n",
    );
    let rules = defaults();
    for kind in Kind::all() {
        out.push_str(&line(kind, &rules));
    }
    out.push_str(
        "\n## Fields\n\n\
         Of the types that take part. A field that is neither here nor known to be one that the server computes is a\n\
         schema difference: the type is frozen until a person has looked at it (but for types with *further fields*,\n\
         which are compared as they are). Ids and dates of creation and change are never compared.\n\n\
         | type | compared | compared, never changed | secret | differs by nature |\n|---|---|---|---|---|\n",
    );
    for kind in Kind::all().filter(|&kind| state(kind, &[], &unconfirmed()).0 != State::Ignored) {
        out.push_str(&fields(kind.row()));
    }
    out.push_str(
        "\n## What cannot be seen\n\n\
         No type of the API shows it, so sync cannot even say whether it differs.\n\n\
         | what | why | by hand |\n|---|---|---|\n",
    );
    for unseen in UNSEEN {
        out.push_str(&format!("| {} | {} | {} |\n", unseen.what, unseen.why, unseen.by_hand));
    }
    out.push_str("\nCollections of the API without objects of their own:\n");
    for (name, why) in NO_OBJECTS {
        out.push_str(&format!("\n- `{name}`: {why}"));
    }
    out.push('\n');
    out
}

fn line(kind: Kind, rules: &Rules) -> String {
    let row = kind.row();
    let (state, why) = state(kind, &[], rules);
    let confirmed = if row.confirmed { "" } else { ", unconfirmed" };
    let [create, update, delete] = [(0, row.create), (1, row.update), (2, row.delete)].map(|(at, how)| {
        let policy = row.default.get(at).copied().unwrap_or(Policy::Never);
        match (how, policy) {
            (_, Policy::Never) => "-".to_owned(),
            (How::Task(_), policy) => format!("{} ({})", policy.as_str(), words(how)),
            (_, policy) => policy.as_str().to_owned(),
        }
    });
    let reason = why.filter(|_| row.confirmed);
    let known: Vec<String> =
        reason.into_iter().chain([row.note.to_owned()]).filter(|text| !text.is_empty()).collect();
    format!(
        "| {} | {} | {}{confirmed} | {create} | {update} | {delete} | {} |\n",
        row.name,
        state.as_str(),
        row.coverage.as_str(),
        known.join("; ")
    )
}

fn fields(row: &Type) -> String {
    let names = |treatment: Treatment| {
        let fields = row.fields.iter().filter(|f| Treatment::of(f) == treatment);
        fields.map(|f| f.name).filter(|name| !EVERYWHERE.contains(name)).collect::<Vec<_>>()
    };
    let mut compared = names(Treatment::Compared);
    if row.open {
        compared.push("*further fields*");
    }
    let rest = [Treatment::Fixed, Treatment::Secret, Treatment::Local].map(|t| names(t).join(", "));
    format!("| {} | {} | {} |\n", row.name, compared.join(", "), rest.join(" | "))
}

fn defaults() -> Rules {
    Rules {
        policies: BTreeMap::new(),
        unconfirmed: false,
        baseline: false,
        delete_readings: 0,
        delete_age_s: 0,
    }
}

fn unconfirmed() -> Rules {
    Rules { unconfirmed: true, ..defaults() }
}

/// Not worth a word for each type.
const EVERYWHERE: [&str; 5] = ["id", "Id", "createdDate", "lastModified", "LastModified"];
