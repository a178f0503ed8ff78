//! Behaviour that the public material leaves open: what the sheet marks `[I]` or lists in its section 10.
//!
//! A switch is a static with its row of the table; [`ALL`] is the table that `--set` and `--help` read.

mod table;

use std::collections::BTreeMap;
use std::time::Duration;

pub use table::*;

/// A year is as good as for ever, and fits every clock.
pub const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// One row: name, what it takes, default, and what it changes.
#[derive(Debug)]
pub struct Switch {
    /// Name on the command line.
    pub name: &'static str,
    /// What it takes.
    pub values: Values,
    /// The sheet's default.
    pub default: &'static str,
    /// What it changes.
    pub text: &'static str,
}

/// What a switch takes.
#[derive(Debug)]
pub enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in this unit.
    Number(&'static str),
}

/// The values that differ from the table's defaults.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    set: BTreeMap<&'static str, String>,
}

/// Why `--set` was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SwitchError {
    /// No equals sign.
    #[error("`{0}` is not of the form NAME=VALUE")]
    Form(String),
    /// Not in the table.
    #[error("no switch is called `{0}`")]
    Name(String),
    /// Not one of the values.
    #[error("`{value}` is no value of `{name}`: {allowed}")]
    Value {
        /// The switch.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        allowed: String,
    },
}

impl Switches {
    /// Takes one `NAME=VALUE`.
    pub fn set(&mut self, assignment: &str) -> Result<(), SwitchError> {
        let (name, value) =
            assignment.split_once('=').ok_or_else(|| SwitchError::Form(assignment.to_owned()))?;
        let switch = ALL
            .iter()
            .find(|switch| switch.name == name.trim())
            .ok_or_else(|| SwitchError::Name(name.to_owned()))?;
        let value = value.trim();
        let fits = match switch.values {
            Values::OneOf(words) => words.contains(&value),
            Values::Number(_) => value.parse::<u64>().is_ok(),
        };
        if !fits {
            let allowed = switch.values.describe();
            return Err(SwitchError::Value { name: switch.name, value: value.to_owned(), allowed });
        }
        self.set.insert(switch.name, value.to_owned());
        Ok(())
    }

    /// The value of a switch.
    pub fn get(&self, switch: &'static Switch) -> &str {
        self.set.get(switch.name).map_or(switch.default, String::as_str)
    }

    /// Whether an on/off switch is on.
    pub fn on(&self, switch: &'static Switch) -> bool {
        self.get(switch) == "on"
    }

    /// The value of a numeric switch; 0 for one that is not numeric.
    pub fn number(&self, switch: &'static Switch) -> u64 {
        self.get(switch).parse().unwrap_or(0)
    }

    /// A switch in seconds as a span of time; none for 0.
    pub fn span(&self, switch: &'static Switch) -> Option<Duration> {
        let seconds = self.number(switch);
        (seconds > 0).then(|| FOR_EVER.min(Duration::from_secs(seconds)))
    }

    /// The table as text, for `--help`.
    pub fn help() -> String {
        ALL.iter()
            .map(|s| {
                format!("  {}={} (default {})\n      {}\n", s.name, s.values.describe(), s.default, s.text)
            })
            .collect()
    }
}

impl Values {
    fn describe(&self) -> String {
        match self {
            Self::OneOf(words) => words.join("|"),
            Self::Number(unit) => format!("<{unit}>"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_default_is_a_value_and_every_name_is_unique() {
        let mut names = std::collections::BTreeSet::new();
        for switch in ALL {
            let mut switches = Switches::default();
            switches.set(&format!("{}={}", switch.name, switch.default)).unwrap();
            assert!(names.insert(switch.name), "{} twice", switch.name);
            assert!(Switches::help().contains(switch.name));
        }
    }

    #[test]
    fn set_changes_and_refuses() {
        let mut switches = Switches::default();
        assert_eq!(switches.get(&HIDDEN), "404");
        switches.set("hidden=403").unwrap();
        assert_eq!(switches.get(&HIDDEN), "403");
        assert_eq!(switches.number(&LOCKOUT_THRESHOLD), 5);
        assert!(matches!(switches.set("hidden"), Err(SwitchError::Form(_))));
        assert!(matches!(switches.set("hiden=404"), Err(SwitchError::Name(_))));
        assert!(matches!(switches.set("hidden=500"), Err(SwitchError::Value { .. })));
        assert!(matches!(switches.set("task-time=-1"), Err(SwitchError::Value { .. })));
    }
}
