//! A configuration file in the making. Only names of design section 5 appear here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::pki::Files;
use super::sim::Sim;

/// Beside the configuration.
pub const ADMIN_PASSWORD: &str = "admin.password";

#[derive(Clone, Debug)]
pub struct Config {
    pub instances: Vec<Instance>,
    pub sites: Vec<Site>,
    /// Body of each table, by its name.
    pub tables: BTreeMap<&'static str, String>,
    pub certificate: Option<Files>,
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub name: String,
    pub url: String,
    pub ca_file: Option<PathBuf>,
    /// Further lines of the table.
    pub extra: String,
}

#[derive(Clone, Debug)]
pub struct Site {
    pub name: String,
    pub hosts: Vec<String>,
    pub profile: &'static str,
    pub primary: String,
    pub standby: Vec<String>,
    /// Further lines of the table.
    pub extra: String,
}

impl Config {
    /// One site `hq` on `vms.test`: the first simulator is the primary, the others are standbys. No
    /// twins: what a login is worth at one instance shows at the other.
    pub fn xprotect(sims: &[&Sim]) -> Self {
        let instances = sims.iter().map(|s| Instance::of(s)).collect();
        Self::site(instances, "xprotect", "twin = \"none\"")
    }

    /// The same as it comes: sessions have twins.
    pub fn twinned(sims: &[&Sim]) -> Self {
        let instances = sims.iter().map(|s| Instance::of(s)).collect();
        Self::site(instances, "xprotect", "")
    }

    /// The same with profile `http` before anything that speaks HTTP; `(name, url)`.
    pub fn http(upstreams: &[(&str, &str)]) -> Self {
        let instances = upstreams.iter().map(|(name, url)| Instance::new(name, url)).collect();
        Self::site(instances, "http", "probe = \"/probe\"")
    }

    /// Profile `http` before simulators.
    pub fn http_sims(sims: &[&Sim]) -> Self {
        let instances = sims.iter().map(|s| Instance::of(s)).collect();
        Self::site(instances, "http", "probe = \"/API/.well-known/uris\"")
    }

    /// The instances' own accounts are administrators, so that their objects are matched.
    pub fn with_accounts(mut self) -> Self {
        for instance in &mut self.instances {
            instance.extra =
                format!("account = {{ username = \"admin\", password_file = {ADMIN_PASSWORD:?} }}");
        }
        self
    }

    fn site(instances: Vec<Instance>, profile: &'static str, extra: &str) -> Self {
        let site = Site {
            name: "hq".into(),
            hosts: vec!["vms.test".into(), "127.0.0.1".into()],
            profile,
            primary: instances[0].name.clone(),
            standby: instances[1..].iter().map(|i| i.name.clone()).collect(),
            extra: extra.into(),
        };
        let config = Self { instances, sites: vec![site], tables: BTreeMap::new(), certificate: None };
        config
            .table("runtime", "workers = 2")
            // Patient: on a busy machine everything may stand still for half a second, and that is no fault.
            .table("health", "interval = \"1s\"\ntimeout = \"1s\"\nrise = 2\nfall = 2")
            .table("failback", "mode = \"manual\"")
    }

    /// Replaces the body of one table.
    pub fn table(mut self, name: &'static str, body: &str) -> Self {
        self.tables.insert(name, body.to_owned());
        self
    }

    /// Adds lines to the first site.
    pub fn in_site(mut self, lines: &str) -> Self {
        self.sites[0].extra = format!("{}\n{lines}", self.sites[0].extra);
        self
    }

    pub fn hosts(mut self, hosts: &[&str]) -> Self {
        self.sites[0].hosts = hosts.iter().map(|h| (*h).to_owned()).collect();
        self
    }

    /// The file's text. Sockets that a test did not ask for otherwise take any free port.
    pub fn text(&self) -> String {
        let mut tables = self.tables.clone();
        let listener = tables.entry("listener").or_default();
        default_line(listener, "address", "\"127.0.0.1:0\"");
        default_line(listener, "plain_address", "\"127.0.0.1:0\"");
        if let Some(files) = &self.certificate {
            default_line(listener, "certificate", &format!("{:?}", files.chain));
            default_line(listener, "private_key", &format!("{:?}", files.key));
        }
        default_line(tables.entry("admin").or_default(), "address", "\"127.0.0.1:0\"");
        default_line(tables.entry("metrics").or_default(), "address", "\"127.0.0.1:0\"");
        let mut text = String::from("state_dir = \"state\"\n");
        for (name, body) in &tables {
            let _ = writeln!(text, "[{name}]\n{body}");
        }
        for i in &self.instances {
            let _ = writeln!(text, "[[instance]]\nname = {:?}\nurl = {:?}\n{}", i.name, i.url, i.extra);
            if let Some(file) = &i.ca_file {
                let _ = writeln!(text, "ca_file = {file:?}");
            }
        }
        for s in &self.sites {
            let _ = writeln!(
                text,
                "[[site]]\nname = {:?}\nhosts = {:?}\nprofile = {:?}\nprimary = {:?}\nstandby = {:?}\n{}",
                s.name, s.hosts, s.profile, s.primary, s.standby, s.extra
            );
        }
        text
    }
}

fn default_line(body: &mut String, key: &str, value: &str) {
    if !body.lines().any(|l| l.split('=').next().is_some_and(|k| k.trim() == key)) {
        let _ = write!(body, "\n{key} = {value}");
    }
}

impl Instance {
    pub fn new(name: &str, url: &str) -> Self {
        Self { name: name.into(), url: url.into(), ca_file: None, extra: String::new() }
    }

    pub fn of(sim: &Sim) -> Self {
        Self { ca_file: sim.ca_file(), ..Self::new(&sim.name, &sim.url()) }
    }
}
