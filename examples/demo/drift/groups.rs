//! Operations, and what is not done, in lines that a person can read: what has the same reason is one line.

use serde_json::{Value, json};

use super::operator::{list, text};

/// Objects for which the same words count.
pub struct Group {
    /// The words: type, and what and how for operations.
    pub words: Vec<String>,
    /// Why.
    pub reason: String,
    /// The objects; an empty name is a type as a whole.
    pub names: Vec<String>,
}

/// Operations by type, kind, verdict and reason, those that would be done first.
pub fn operations(plan: &Value) -> Vec<Group> {
    let mut groups = group(list(plan, "operations"), &["verdict", "type", "kind"]);
    groups.sort_by_key(|g| VERDICTS.iter().position(|v| *v == g.words[0]));
    groups
}

/// What is not done, by type and reason.
pub fn skipped(plan: &Value) -> Vec<Group> {
    group(list(plan, "skipped"), &["type"])
}

/// In the order of the list.
fn group(all: &[Value], keys: &[&str]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for one in all {
        let words: Vec<String> = keys.iter().map(|key| text(one, key).to_owned()).collect();
        let (reason, name) = (text(one, "reason").to_owned(), text(one, "name").to_owned());
        match groups.iter_mut().find(|g| g.words == words && g.reason == reason) {
            Some(group) => group.names.push(name),
            None => groups.push(Group { words, reason, names: vec![name] }),
        }
    }
    groups
}

impl Group {
    /// How many objects.
    pub fn count(&self) -> String {
        if self.is_whole_type() { "all".to_owned() } else { self.names.len().to_string() }
    }

    /// The first of them.
    pub fn example(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    fn is_whole_type(&self) -> bool {
        self.names.iter().all(String::is_empty)
    }

    /// For machines; `keys` are what the words mean.
    pub fn to_json(&self, keys: &[&str]) -> Value {
        let mut out =
            json!({ "reason": self.reason, "names": self.names, "whole_type": self.is_whole_type() });
        for (key, word) in keys.iter().zip(&self.words) {
            out[*key] = json!(word);
        }
        out
    }
}

/// What the words of reasons mean, for those that occur in these groups.
pub fn explained<'a>(groups: &'a [Group]) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    let occurs = |word: &str| groups.iter().any(|g| g.reason.contains(word));
    MEANINGS.into_iter().filter(move |(word, _)| occurs(word))
}

const VERDICTS: [&str; 3] = ["pass", "hold", "block"];
const MEANINGS: [(&str, &str); 9] = [
    ("= approve", "a person has to let this kind of change pass, every time ([[sync.policy]])"),
    ("= never", "the policy does not want it ([[sync.policy]])"),
    ("needs a secret", "passwords cannot be read from the other side: a person gives one"),
    ("never agreed", "it was different from the start, so nobody knows who changed it; the primary counts"),
    ("not paired", "nothing says which object of the other side that is: no default, an operator says it"),
    ("finding:", "so many at once are more than the sum of them: a person looks at it as a whole"),
    ("coverage:", "the API of the VMS cannot do it, or nobody has confirmed how"),
    ("disputed:", "it may be the same as another object; nobody but a person says so"),
    ("exists only on the target", "what only the standby has is left alone"),
];
