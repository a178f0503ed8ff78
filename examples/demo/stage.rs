//! Everything that runs: two instances, the gatekeeper, and the directory that they share.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::args::{Args, Fault};
use super::ca::{self, Files};
use super::child::{self, Child, Role};
use super::configuration::configuration;
use super::ports::Ports;
use super::web::{self, Target};

/// Where files of a run go.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// Removes the directory in the end.
    _temporary: Option<TempDir>,
}

impl Place {
    /// A temporary directory, or the one that `--dir` names.
    pub fn new(args: &Args) -> anyhow::Result<Self> {
        match &args.dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
                Ok(Self { path: dir.canonicalize()?, _temporary: None })
            }
            None => {
                let temporary = TempDir::with_prefix("gatekeeper-demo-").context("temporary directory")?;
                Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
            }
        }
    }

    /// A directory for one stage.
    pub fn below(&self, name: &str) -> anyhow::Result<PathBuf> {
        let dir = self.path.join(name);
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(dir)
    }
}

/// One simulated instance.
#[derive(Debug)]
pub struct Instance {
    /// `a` or `b`.
    pub name: &'static str,
    /// Where it serves.
    pub listener: SocketAddr,
    control: SocketAddr,
    start: Vec<OsString>,
    log: PathBuf,
    child: Option<Child>,
}

/// Two instances and the gatekeeper.
#[derive(Debug)]
pub struct Stage {
    /// First, so that it ends first: else it would see its instances die.
    pub gatekeeper: Child,
    /// Serves by default.
    pub primary: Instance,
    /// Takes over.
    pub standby: Instance,
    /// Where clients connect.
    pub listener: SocketAddr,
    /// Where operators connect.
    pub admin: SocketAddr,
    /// What clients trust.
    pub clients_ca: PathBuf,
    /// Where everything lies.
    pub dir: PathBuf,
}

/// Two instances that nothing stands in front of yet.
#[derive(Debug)]
pub struct Instances {
    /// Will serve by default.
    pub primary: Instance,
    /// Will take over.
    pub standby: Instance,
    /// Whom to trust about them.
    pub ca: PathBuf,
    clients: Files,
    ports: Ports,
    dir: PathBuf,
}

impl Instances {
    /// Starts them with these arguments of the simulator: for `both`, and for the standby alone.
    pub async fn start(dir: PathBuf, args: &Args, both: &[&str], standby: &[&str]) -> anyhow::Result<Self> {
        let clients = ca::make(&dir, "gatekeeper")?;
        let inside = ca::make(&dir, "instances")?;
        let mut ports = Ports::new();
        let users = args.clients().max(20);
        let mut one = |name| Instance::new(name, &mut ports, &dir, &inside, users);
        let (mut a, mut b) = (one("a")?, one("b")?);
        a.start.extend(both.iter().map(OsString::from));
        b.start.extend(both.iter().chain(standby).map(OsString::from));
        a.run().await?;
        b.run().await?;
        Ok(Self { primary: a, standby: b, ca: inside.ca, clients, ports, dir })
    }

    /// Starts the gatekeeper in front of them. `stable_for` is its key; `more` its further configuration.
    pub async fn guard(self, args: &Args, stable_for: &str, more: &str) -> anyhow::Result<Stage> {
        let Self { primary, standby, clients, mut ports, dir, .. } = self;
        let (listener, admin) = (ports.free()?, ports.free()?);
        let file = dir.join("gatekeeper.toml");
        let urls = [primary.url(), standby.url()];
        ca::write(&dir.join("admin.password"), "admin-password\n")?;
        ca::write(&file, &configuration(args.profile, listener, admin, &urls, stable_for, more))?;
        let arguments = ["run".into(), "--config".into(), file.into()];
        let gatekeeper =
            start_child(Role::Gatekeeper, dir.join("gatekeeper.log"), arguments.to_vec()).await?;
        Ok(Stage { gatekeeper, primary, standby, listener, admin, clients_ca: clients.ca, dir })
    }
}

impl Stage {
    /// Starts everything, the instances first. `stable_for` is the gatekeeper's key.
    pub async fn start(dir: PathBuf, args: &Args, stable_for: &str) -> anyhow::Result<Self> {
        Instances::start(dir, args, &[], &[]).await?.guard(args, stable_for, "").await
    }

    /// Breaks the primary, or has an operator turn away from it. `Some(reason)` when that cannot be done here.
    pub async fn break_primary(&mut self, fault: Fault) -> anyhow::Result<Option<String>> {
        match fault {
            Fault::Drain | Fault::Quarantine => self.order(fault.name()).await,
            _ => self.primary.break_by(fault).await,
        }
    }

    /// Ends what [`Self::break_primary`] began.
    pub async fn restore_primary(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Drain | Fault::Quarantine => match self.order("release").await? {
                None => Ok(()),
                Some(reason) => bail!("release: {reason}"),
            },
            _ => self.primary.restore(fault).await,
        }
    }

    /// A command of the operator about the primary. `Some(reason)` when the gatekeeper does not know it.
    async fn order(&self, command: &str) -> anyhow::Result<Option<String>> {
        let args: Vec<OsString> = vec![
            command.into(),
            self.primary.name.into(),
            "--reason".into(),
            "demo".into(),
            "--admin".into(),
            format!("http://{}", self.admin).into(),
            "--token-file".into(),
            self.dir.join("state/admin.token").into(),
        ];
        let told = tokio::task::spawn_blocking(move || child::tell(&args)).await??;
        match told.code {
            Some(0) => Ok(None),
            Some(2) => Ok(Some(told.first_line())),
            code => bail!("gatekeeper {command} ended with {code:?}: {}", told.text),
        }
    }

    /// How a client of the site connects.
    pub fn front(&self) -> anyhow::Result<Target> {
        Target::tls(self.listener, &self.clients_ca)
    }
}

impl Instance {
    fn new(
        name: &'static str,
        ports: &mut Ports,
        dir: &Path,
        tls: &Files,
        users: u32,
    ) -> anyhow::Result<Self> {
        let (listener, control) = (ports.free()?, ports.free()?);
        let text = |text: &dyn ToString| OsString::from(text.to_string());
        let start = vec![
            "--name".into(),
            name.into(),
            "--listen".into(),
            text(&listener),
            "--control".into(),
            text(&control),
            "--users".into(),
            text(&users),
            "--event-rate".into(),
            text(&EVENT_RATE),
            "--tls-cert".into(),
            tls.chain.clone().into(),
            "--tls-key".into(),
            tls.key.clone().into(),
        ];
        let log = dir.join(format!("{name}.log"));
        Ok(Self { name, listener, control, start, log, child: None })
    }

    /// Starts it; the same name, seed and ports make it the same instance as before.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        self.child = None;
        self.child = Some(start_child(Role::Instance, self.log.clone(), self.start.clone()).await?);
        Ok(())
    }

    /// Where the gatekeeper reaches it.
    pub fn url(&self) -> String {
        format!("https://{}", self.listener)
    }

    /// Its process.
    pub fn process(&mut self) -> anyhow::Result<&mut Child> {
        self.child.as_mut().context("the instance does not run")
    }

    /// Breaks it. `Some(reason)` when this system cannot do that.
    async fn break_by(&mut self, fault: Fault) -> anyhow::Result<Option<String>> {
        if fault == Fault::Kill {
            self.process()?.kill()?;
            return Ok(None);
        }
        self.set_fault(&json!({ "service": "all", "mode": fault.name() })).await
    }

    /// Heals it.
    async fn restore(&mut self, fault: Fault) -> anyhow::Result<()> {
        if fault == Fault::Kill { self.run().await } else { self.lift_faults().await }
    }

    /// Sets a fault of the simulator's control API. `Some(reason)` when this system cannot do that.
    pub async fn set_fault(&self, fault: &Value) -> anyhow::Result<Option<String>> {
        let reply = web::once(self.control, "POST", "/faults", &fault.to_string()).await?;
        match reply.status.as_u16() {
            200 => Ok(None),
            501 => Ok(Some(reply.json()?["error"]["text"].as_str().unwrap_or("no reason given").to_owned())),
            status => bail!("instance {} refused the fault {fault} with {status}", self.name),
        }
    }

    /// Lifts all faults.
    pub async fn lift_faults(&self) -> anyhow::Result<()> {
        let reply = web::once(self.control, "DELETE", "/faults", "").await?;
        if !reply.status.is_success() {
            bail!("instance {} did not lift its faults: {}", self.name, reply.status);
        }
        Ok(())
    }

    /// Where its control API is asked.
    pub const fn control(&self) -> SocketAddr {
        self.control
    }

    /// The heads of all requests that reached it, the oldest first; the simulator keeps the last 10,000.
    pub async fn arrived(&self) -> anyhow::Result<Vec<String>> {
        let list = web::once(self.control, "GET", "/requests", "").await?.json()?;
        let heads = list.as_array().into_iter().flatten().filter_map(|request| request["head"].as_str());
        Ok(heads.map(str::to_owned).collect())
    }
}

/// A child's start blocks; the threads that measure must not.
async fn start_child(role: Role, log: PathBuf, args: Vec<OsString>) -> anyhow::Result<Child> {
    tokio::task::spawn_blocking(move || Child::start(role, &log, &args)).await?
}

/// A second. So many that who hears none for a moment is deaf.
const EVENT_RATE: u32 = 10;
