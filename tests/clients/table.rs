//! What a client is, what came of it, and the document that the rows become.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::programs::{here, node, pinned, python, version};
use crate::rounds::{Round, Target};

/// A client and how it is run.
pub struct Client {
    /// As the document calls it.
    pub name: &'static str,
    /// Its script and what comes after the usual arguments.
    pub script: &'static str,
    pub more: &'static [&'static str],
    pub user: &'static str,
    /// Packages or programs whose versions are told.
    pub parts: &'static [Part],
    /// What the simulators must be started with.
    pub simulator: &'static [&'static str],
    /// Lines of its site.
    pub site: &'static str,
    /// Who sees to the new login after a switch.
    pub login: Login,
}

#[derive(Clone, Copy)]
pub enum Part {
    /// Pinned in `requirements.txt` or `package-lock.json`.
    Package(&'static str),
    /// Of the machine: its version differs from one to the next.
    Program(&'static str),
}

/// Who sees to the new login after a switch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The script, as a user of the package must: it gets a 401 and logs in again.
    Users,
    /// Every round is a new login anyhow; it begins when the switch was noticed.
    EveryTime,
}

/// What a client did.
pub struct Row {
    pub client: &'static Client,
    pub direct: Result<Round, String>,
    pub through: Result<Round, String>,
    pub across: Result<Round, String>,
}

impl Client {
    pub fn command(&self, target: &Target) -> Command {
        let path = |folder: &Path| folder.join(self.script);
        let mut command = if self.script.ends_with(".py") {
            let mut command = Command::new(python());
            command.arg(path(&here()));
            command
        } else {
            let mut command = Command::new("node");
            command.arg(path(node())).env("NODE_EXTRA_CA_CERTS", &target.ca).current_dir(node());
            command
        };
        let name = self.user.rsplit('\\').next().unwrap_or(self.user);
        command
            .arg(&target.url)
            .arg(&target.ca)
            .args([self.user, &format!("{name}-password")])
            .args(self.more);
        command
    }
}

impl Row {
    /// Everything that did not go as it should.
    pub fn complaints(&self) -> Vec<String> {
        let rounds = [("direct", &self.direct), ("through", &self.through), ("across", &self.across)];
        let mut complaints = Vec::new();
        for (place, round) in rounds {
            match round {
                Ok(round) if round.calls.is_empty() => complaints.push(format!("{place}: no calls")),
                Ok(round) => complaints.extend(round.failures().map(|what| format!("{place}: {what}"))),
                Err(why) => complaints.push(format!("{place}: {why}")),
            }
        }
        if let (Ok(through), Ok(across)) = (&self.through, &self.across)
            && self.client.login == Login::Users
            && across.logins > through.logins + 1
        {
            complaints.push(format!("across: {} logins instead of one", across.logins - through.logins));
        }
        complaints
            .into_iter()
            .map(|what| format!("{}, {}: {what}", self.client.name, self.client.user))
            .collect()
    }

    fn cells(&self) -> [String; 3] {
        let cell = |round: &Result<Round, String>| match round {
            Ok(round) => format!("{} of {}", round.good(), round.calls.len()),
            Err(_) => "does not run".to_owned(),
        };
        let login = match (&self.through, &self.across) {
            (Ok(through), Ok(across)) if across.logins == through.logins + 1 => ", after one new login",
            (Ok(through), Ok(across)) if across.logins > through.logins + 1 => ", after new logins",
            _ => "",
        };
        [cell(&self.direct), cell(&self.through), cell(&self.across) + login]
    }
}

/// The document.
pub fn document(rows: &[Row]) -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str("| Client | Version | User | Simulator alone | Through the gatekeeper | Across the death of the primary |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for row in rows {
        let versions: Vec<String> = row.client.parts.iter().map(|part| part.say()).collect();
        let [direct, through, across] = row.cells();
        let (name, user) = (row.client.name, row.client.user);
        let _ = writeln!(
            text,
            "| {name} | {} | `{user}` | {direct} | {through} | {across} |",
            versions.join(", ")
        );
    }
    text.push_str(FOUND);
    text.push_str("\n## The calls\n\n");
    let mut lists: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for row in rows {
        let made = row.direct.iter().flat_map(|round| &round.calls).map(|(name, _)| name.as_str()).collect();
        match lists.iter_mut().find(|(calls, _)| *calls == made) {
            Some((_, clients)) => clients.push(row.client.name),
            None => lists.push((made, vec![row.client.name])),
        }
    }
    for (calls, clients) in lists {
        let _ = writeln!(text, "- **{}** ({}): {}", clients.join("; "), calls.len(), calls.join("; "));
    }
    text
}

/// The document without what differs from one machine to the next.
pub fn comparable(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split('|').collect();
            if cells.len() == 8 {
                cells[2] = "";
            }
            cells.join("|")
        })
        .collect()
}

impl Part {
    fn say(self) -> String {
        match self {
            Self::Package(name) => format!("{name} {}", pinned(name)),
            Self::Program(name) => format!("{name} {}", version(name)),
        }
    }
}

const INTRODUCTION: &str = "\
# Compatibility

Clients that nobody here wrote, each unmodified and with its own idea of the protocol. Written by
`UPDATE_DOCS=1 cargo test --test clients`; the same test fails when a client's result changes.

Each client makes all its calls three times: against a simulated instance alone; through the gatekeeper in front of two; and once more with
the same session after the primary was killed. A number is calls that answered as they should, of all that were made. Password users have a twin
session on the other instance and notice nothing; for others, and where a SOAP token is needed (README, *Limits*), the first call after the switch is refused (401, in SOAP a fault) and the script logs in again, as the
user of the package has to; a client that does so is said to go on *after one new login*. Everything runs over TLS.

One thing no proxy can mend: an OpenID client that compares the token's issuer with the one that it read before. Who reads
`openid-configuration` in the second in which the primary dies, and logs in after the switch, gets a token of another issuer than
announced; such a client refuses it and its user has to begin again. The code flow below begins after the switch.

The instances are simulated from the public protocol, not real ones.

";

const FOUND: &str = "
## What they tripped over

Kept by hand in `tests/clients/table.rs`.

- `milestonexprotectrestpython` writes filters without quotes (`name=contains:01`); the protocol sheet shows quotes only. The simulator takes both.
- `milestonexprotectwspython` cannot read a SOAP configuration with more than one audio message (it expects one object, not a list), nor a time with
  one fractional digit or none; its `RegisterIntegration` always raises, because it looks for another call's result. The simulated site has one audio message.
- Its Windows login is HTTP Basic on `/ServerAPI`, not NTLM. It offers the calls to recorders to Windows users only; they go to the recording
  servers directly, not through the gatekeeper, with the ids that it has seen; so its site says `ids = \"native\"`.
- Both packages take no certificate authority and do not read `REQUESTS_CA_BUNDLE`; they run with their check of certificates switched off.
- curl gives up on a 503 in the middle of an NTLM handshake, and begins anew by itself when the connection ends; so the gatekeeper ends it.
";
