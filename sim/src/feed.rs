//! What this instance makes of what happens: own ids, own clock, own delay. Feeds the journal.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::api::{Api, CameraRef, EventTypeRef};
use crate::faults::{BadInput, EventsFault, events};
use crate::journal::{Event, Journal};
use crate::physical::{Happening, Kind, What, World, hash_text, instance_number, mix};
use crate::stamp::{SECOND, Stamp};

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
    /// What happened and has not arrived yet: by time of arrival without the delay of a fault, and number.
    waiting: Mutex<BTreeMap<(i64, i64, u32), Event>>,
    /// Something waits that the clock does not know.
    injected: Notify,
}

/// What came of an injected event.
pub struct Injected {
    /// The event. Its `n` is 0 as long as it has not arrived.
    pub event: Arc<Event>,
    /// It will never arrive.
    pub lost: bool,
}

/// A world and how far it was looked at.
struct Clock {
    world: World,
    next: i64,
}

impl Clock {
    fn new(world: World, now: i64) -> Self {
        Self { next: world.first_from(now), world }
    }

    /// Everything that has happened by now.
    fn until(&mut self, now: i64, mut happen: impl FnMut(Happening)) {
        while self.world.at(self.next) <= now {
            happen(self.world.happening(self.next));
            self.next += 1;
        }
    }
}

/// More events do not wait: the first of them arrives early.
const MOST_WAITING: usize = 200_000;

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
        let (waiting, injected) = (Mutex::default(), Notify::new());
        Self { api, journal, settings, world, own, directory, waiting, injected }
    }

    /// Notes the states that are true before the start: a function of the clock, so a restarted process
    /// reports them with the same event ids.
    pub fn remember_states(&self) {
        let before = self.world.iter().flat_map(|world| world.states_before(Stamp::now().ticks()));
        for event in before.filter_map(|happening| self.translate(happening)) {
            self.journal.remember(event);
        }
    }

    /// Runs until the process ends: every event at its time of arrival.
    pub async fn run(self: Arc<Self>) {
        let mut clock = self.world.clone().map(|world| Clock::new(world, Stamp::now().ticks()));
        let mut crowd = (1, None);
        let mut changes = self.api.faults().subscribe();
        loop {
            changes.mark_unchanged();
            let (now, faults) = (Stamp::now().ticks(), self.api.faults().events());
            let factor = events::burst(&faults);
            if crowd.0 != factor {
                let site = self.api.settings();
                let world = World::burst(site.seed, site.cameras, self.settings.rate, factor);
                crowd = (factor, world.map(|world| Clock::new(world, now)));
            }
            let mut next = now.saturating_add(SECOND);
            for clock in [&mut clock, &mut crowd.1].into_iter().flatten() {
                clock.until(now, |happening| self.happen(happening, &faults));
                next = next.min(clock.world.at(clock.next));
            }
            let next = next.min(self.arrive(now, &faults));
            // One second at most: the system's clock may be set meanwhile.
            let wait = next.saturating_sub(Stamp::now().ticks()).clamp(0, SECOND);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_micros(wait.unsigned_abs() / 10 + 1)) => {}
                () = self.injected.notified() => {}
                // The board lives as long as the feed.
                _ = changes.changed() => {}
            }
        }
    }

    /// Lets what happened wait for its arrival, unless it is lost.
    fn happen(&self, happening: Happening, faults: &[EventsFault]) {
        let camera = match happening.what {
            What::Camera(index, _) => Some(index),
            What::UserDefined(_) => None,
        };
        if events::is_lost(faults, self.own, happening.physical, camera) {
            return;
        }
        if let Some(mut event) = self.translate(happening) {
            event.time = event.time.saturating_add(events::clock_error(faults, happening.at));
            self.wait(self.arrival(happening), happening.physical, event);
        }
    }

    fn wait(&self, arrival: i64, physical: i64, event: Event) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // A number that is injected twice is no place for two.
        let place = (0..).find(|turn| !waiting.contains_key(&(arrival, physical, *turn))).unwrap_or(0);
        waiting.insert((arrival, physical, place), event);
    }

    /// Reports what is due; when the next one will be.
    fn arrive(&self, now: i64, faults: &[EventsFault]) -> i64 {
        let delay = events::delay(faults);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = waiting.first_entry() {
            let due = first.key().0.saturating_add(delay);
            if due > now && waiting.len() <= MOST_WAITING {
                return due;
            }
            if let Some((_, event)) = waiting.pop_first() {
                self.journal.push(event);
            }
        }
        i64::MAX
    }

    /// Makes an event that the world clock does not know.
    ///
    /// # Errors
    /// A camera or a type that this instance does not have.
    pub fn inject(&self, physical: i64, camera: usize, kind: &str) -> Result<Injected, BadInput> {
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
        let (now, faults) = (Stamp::now().ticks(), self.api.faults().events());
        let repeat = self.journal.injected(physical) + self.waiting_injected(physical);
        let error = events::clock_error(&faults, now);
        let event = Event {
            n: 0,
            physical: Some(physical),
            id: self.event_id(&format!("injected/{repeat}"), physical),
            resource: "cameras",
            object: camera.id.clone(),
            state_group: directory.state_group(&id),
            kind: id,
            time: now.saturating_add(self.settings.skew).saturating_add(error),
            injected: true,
            data: None,
        };
        if events::is_lost(&faults, self.own, physical, Some(camera.physical)) {
            return Ok(Injected { event: Arc::new(event), lost: true });
        }
        if events::delay(&faults) == 0 {
            return Ok(Injected { event: self.journal.push(event), lost: false });
        }
        self.wait(now, physical, event.clone());
        self.injected.notify_one();
        Ok(Injected { event: Arc::new(event), lost: false })
    }

    /// How many injected events with this physical number have not arrived yet.
    fn waiting_injected(&self, physical: i64) -> usize {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().filter(|event| event.injected && event.physical == Some(physical)).count()
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

    fn arrival(&self, happening: Happening) -> i64 {
        let delay = match self.settings.jitter {
            0 => 0,
            longest => mix(self.own, DOMAIN_JITTER, happening.physical.cast_unsigned(), 0) % longest,
        };
        happening.at.saturating_add(delay.cast_signed())
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
