//! Operations, and what is not done, in lines that a person can read: what has the same reason is one line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::operator::{list, text};

/// Objects for which the same words count.
pub struct Group {
    /// Verdict, type and kind; of what is not done, nothing.
    pub words: Vec<String>,
    /// Why, without the names of single objects.
    pub reason: String,
    /// The types, each with its number of objects; none: the type as a whole.
    pub types: Vec<(String, usize)>,
    /// The first object.
    pub example: String,
}

/// Operations by verdict, type, kind and reason, those that would be done first.
pub fn operations(plan: &Value) -> Vec<Group> {
    let mut groups = Vec::new();
    for o in list(plan, "operations") {
        let words = ["verdict", "type", "kind"].map(|key| text(o, key).to_owned()).to_vec();
        let reasons = parts(text(o, "reason"));
        let decides = |part: &&String| !EXPECTED.iter().any(|word| part.starts_with(word));
        let deciding: Vec<String> = reasons.iter().filter(decides).cloned().collect();
        // Of what is held, why it is; of the others, what made it.
        let shown = if deciding.is_empty() { reasons } else { deciding };
        add(&mut groups, words, shown.join("; "), o);
    }
    groups.sort_by_key(|g| VERDICTS.iter().position(|v| *v == g.words[0]));
    groups
}

/// What is not done, by reason.
pub fn skipped(plan: &Value) -> Vec<Group> {
    let mut groups = Vec::new();
    for s in list(plan, "skipped") {
        let reason = general(text(s, "reason")).replace(text(s, "type"), "these");
        // The fields of a type are in brackets at the end.
        let reason = match reason.strip_prefix("built in: ") {
            Some(_) => reason.split(" (").next().unwrap_or_default().to_owned(),
            None => reason,
        };
        add(&mut groups, Vec::new(), reason, s);
    }
    groups
}

/// Puts an object where it belongs; groups are in the order of their first objects.
fn add(groups: &mut Vec<Group>, words: Vec<String>, reason: String, object: &Value) {
    let (kind, name) = (text(object, "type"), text(object, "name"));
    let at = groups.iter().position(|g| g.words == words && g.reason == reason).unwrap_or_else(|| {
        groups.push(Group { words, reason, types: Vec::new(), example: name.to_owned() });
        groups.len() - 1
    });
    let types = &mut groups[at].types;
    let at = types.iter().position(|(known, _)| known == kind).unwrap_or_else(|| {
        types.push((kind.to_owned(), 0));
        types.len() - 1
    });
    types[at].1 += usize::from(!name.is_empty());
}

/// The reasons of an operation, each once and without names; that a policy lets it pass is none.
fn parts(reason: &str) -> Vec<String> {
    let mut known = BTreeSet::new();
    let (all, new) =
        (general(reason), |part: &&str| !part.ends_with("= auto") && known.insert((*part).to_owned()));
    all.split("; ").filter(new).map(str::to_owned).collect()
}

/// A reason without names, and without the reason behind it, which has a line of its own.
fn general(reason: &str) -> String {
    let mut quoted = String::new();
    let mut rest = reason;
    // An apostrophe within a word is no quote.
    while let Some((before, name)) = rest.split_once(" '") {
        let end = name.match_indices('\'').find(|(at, _)| name[at + 1..].starts_with([' ', ',', ';', ')']));
        quoted.push_str(before);
        quoted.push_str(" '...'");
        rest = end.map_or("", |(at, _)| &name[at + 1..]);
    }
    quoted.push_str(rest);
    let Some((before, behind)) = BEHIND.iter().find_map(|word| quoted.split_once(word)) else {
        return quoted;
    };
    let mut depth = 1_usize;
    let end = behind.find(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        depth == 0
    });
    let rest = end.and_then(|end| behind.get(end + 1..)).unwrap_or_default();
    general(&format!("{before}{rest}"))
}

/// What the words of reasons mean, for those that occur in these groups.
pub fn explained(groups: &[Group]) -> Vec<Vec<String>> {
    let occurs = |word: &str| groups.iter().any(|g| g.reason.contains(word));
    let meanings = MEANINGS.iter().filter(|(word, _)| occurs(word));
    meanings.map(|(word, meaning)| vec![format!("  {word}"), (*meaning).to_owned()]).collect()
}

const VERDICTS: [&str; 3] = ["pass", "hold", "block"];
/// How reasons begin that make an operation and do not hold it.
const EXPECTED: [&str; 5] = ["never agreed", "changed on", "exists only on", "replaced", "deleted on"];
/// How the reason behind a reason begins.
const BEHIND: [&str; 3] = [" (coverage: ", " (disputed: ", " (policy: "];
const MEANINGS: [(&str, &str); 8] = [
    ("= approve", "every change of this kind waits for a person ([[sync.policy]])"),
    ("= never", "the policy does not want it ([[sync.policy]])"),
    ("needs a secret", "a password cannot be read from the other side: a person gives it"),
    ("never agreed", "different from the start: nobody knows who changed it, so the primary counts"),
    ("not paired", "the other side has no counterpart, or nobody has said which it is: there is no default"),
    ("finding", "so many at once are looked at as a whole"),
    ("coverage", "the API of the VMS cannot do it, or nobody has confirmed how"),
    ("disputed", "it may be the same as another object: nobody but a person says so"),
];
