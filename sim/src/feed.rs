//! What this instance makes of what happens: own ids, own clock, own delay. Feeds the journal.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::api::{Api, CameraRef, EventTypeRef};
use crate::faults::BadInput;
use crate::journal::{Event, Journal};
use crate::physical::{Happening, Kind, What, World, hash_text, instance_number, mix};
use crate::stamp::Stamp;

/// How an instance sees the site.
#[derive(Clone, Copy, Debug)]
pub struct FeedSettings {
    /// Events a second on the whole site.
    pub rate: f64,
    /// Added to every time stamp, in ticks.
    pub skew: i64,
    /// The longest delay of an arrival, in ticks.
    pub jitter: u64,
}

/// The recorder side of an instance.
pub struct Feed {
    api: Arc<Api>,
    journal: Arc<Journal>,
    settings: FeedSettings,
    world: Option<World>,
    /// Different for every name.
    own: u64,
    directory: Mutex<(Instant, Arc<Directory>)>,
}

/// What the instance knows of its own objects; read again every second, because writes change it.
struct Directory {
    cameras: HashMap<usize, CameraRef>,
    user_defined: Vec<(String, String)>,
    types: Vec<EventTypeRef>,
}

const DIRECTORY_AGE: Duration = Duration::from_secs(1);

/// Hash domains of this file.
const DOMAIN_JITTER: u64 = 102;
const DOMAIN_CHOICE: u64 = 103;

impl Feed {
    /// A feed that has not started.
    #[must_use]
    pub fn new(api: Arc<Api>, journal: Arc<Journal>, settings: FeedSettings) -> Self {
        let site = api.settings();
        let world = World::new(site.seed, site.cameras, settings.rate);
        let own = instance_number(site.seed, &site.name);
        let directory = Mutex::new((Instant::now(), Arc::new(Directory::read(&api))));
        Self { api, journal, settings, world, own, directory }
    }

    /// Notes the states that are true before the start: a function of the clock, so a restarted process
    /// reports them with the same event ids.
    pub fn remember_states(&self) {
        let before = self.world.iter().flat_map(|world| world.states_before(Stamp::now().ticks()));
        for event in before.filter_map(|happening| self.translate(happening)) {
            self.journal.remember(event);
        }
    }

    /// Runs until the process ends: every event of the world at its time of arrival.
    pub async fn run(self: Arc<Self>) {
        let Some(world) = &self.world else { return };
        let mut next = world.first_from(Stamp::now().ticks());
        let mut waiting: BinaryHeap<Reverse<(i64, i64)>> = BinaryHeap::new();
        loop {
            let now = Stamp::now().ticks();
            while world.at(next) <= now {
                waiting.push(Reverse((self.arrival(world, next), next)));
                next += 1;
            }
            while let Some(Reverse((arrival, physical))) = waiting.peek().copied()
                && arrival <= now
            {
                waiting.pop();
                if let Some(event) = self.translate(world.happening(physical)) {
                    self.journal.push(event);
                }
            }
            let first = waiting.peek().map_or(i64::MAX, |Reverse((arrival, _))| *arrival);
            let wait = world.at(next).min(first).saturating_sub(Stamp::now().ticks()).max(0);
            // One second at most: the system's clock may be set meanwhile.
            let wait = Duration::from_micros(wait.unsigned_abs() / 10 + 1).min(Duration::from_secs(1));
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes an event that the world clock does not know.
    ///
    /// # Errors
    /// A camera or a type that this instance does not have.
    pub fn inject(&self, physical: i64, camera: usize, kind: &str) -> Result<Arc<Event>, BadInput> {
        let directory = self.directory();
        let Some(camera) = directory.cameras.get(&camera) else {
            let count = self.api.settings().cameras;
            let text = format!("this instance has no camera {camera}");
            return Err(BadInput::new("camera", text, vec![format!("0..{count}")]));
        };
        let builtin = Kind::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(kind));
        let named =
            |row: &&EventTypeRef| row.id.eq_ignore_ascii_case(kind) || row.name.eq_ignore_ascii_case(kind);
        let id = match (builtin, directory.types.iter().find(named)) {
            (Some(kind), _) => kind.event_type().to_owned(),
            (None, Some(row)) => row.id.clone(),
            (None, None) if Kind::ALL.iter().any(|known| known.event_type().eq_ignore_ascii_case(kind)) => {
                kind.to_ascii_lowercase()
            }
            (None, None) => {
                let names = Kind::ALL.iter().map(|kind| kind.name().to_owned());
                let others = directory.types.iter().map(|row| row.id.clone());
                return Err(BadInput::new(
                    "type",
                    format!("{kind:?} is not an event type"),
                    names.chain(others).collect(),
                ));
            }
        };
        let repeat = self.journal.injected(physical);
        Ok(self.journal.push(Event {
            n: 0,
            physical: Some(physical),
            id: self.event_id(&format!("injected/{repeat}"), physical),
            resource: "cameras",
            object: camera.id.clone(),
            state_group: directory.state_group(&id),
            kind: id,
            time: Stamp::now().ticks().saturating_add(self.settings.skew),
            injected: true,
            data: None,
        }))
    }

    fn translate(&self, happening: Happening) -> Option<Event> {
        let directory = self.directory();
        let (resource, object, kind) = match happening.what {
            What::Camera(index, kind) => {
                let camera = directory.cameras.get(&index).filter(|camera| camera.enabled)?;
                ("cameras", camera.id.clone(), kind.event_type().to_owned())
            }
            What::UserDefined(choice) => {
                let id = directory.user_defined(choice)?.to_owned();
                // The VMS's event type of a user-defined event has the event's own id [I].
                ("userDefinedEvents", id.clone(), id)
            }
        };
        Some(Event {
            n: 0,
            physical: Some(happening.physical),
            id: self.event_id("clock", happening.physical),
            resource,
            object,
            state_group: directory.state_group(&kind),
            kind,
            time: happening.at.saturating_add(self.settings.skew),
            injected: false,
            data: None,
        })
    }

    fn arrival(&self, world: &World, physical: i64) -> i64 {
        let delay = match self.settings.jitter {
            0 => 0,
            longest => mix(self.own, DOMAIN_JITTER, physical.cast_unsigned(), 0) % longest,
        };
        world.at(physical).saturating_add(delay.cast_signed())
    }

    fn event_id(&self, origin: &str, physical: i64) -> String {
        let site = self.api.settings();
        let text = format!("event/{}/{origin}/{physical}/{}", site.seed, site.name);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }

    fn directory(&self) -> Arc<Directory> {
        let mut guard = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.0.elapsed() > DIRECTORY_AGE {
            *guard = (Instant::now(), Arc::new(Directory::read(&self.api)));
        }
        Arc::clone(&guard.1)
    }
}

impl Directory {
    fn read(api: &Api) -> Self {
        Self {
            cameras: api.cameras().into_iter().map(|camera| (camera.physical, camera)).collect(),
            user_defined: api.user_defined_events(),
            types: api.event_types(),
        }
    }

    fn state_group(&self, kind: &str) -> Option<String> {
        let row = self.types.iter().find(|row| row.id.eq_ignore_ascii_case(kind))?;
        row.state_group.clone()
    }

    /// Which user-defined event `choice` means. Each name draws a number and the highest wins: an instance
    /// that lacks some still agrees with the others on all that it has.
    fn user_defined(&self, choice: u64) -> Option<&str> {
        let winner = self.user_defined.iter().max_by_key(|(_, name)| hash_text(choice, DOMAIN_CHOICE, name));
        winner.map(|(id, _)| id.as_str())
    }
}
