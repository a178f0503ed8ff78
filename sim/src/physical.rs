//! The world clock: what happens in front of the cameras, as a pure function of seed and time, so that
//! processes that were started apart see the same things happen.
//!
//! Event `k` happens in its own slot of time, at a place in the slot that a hash decides. Slots are grouped
//! in rounds; in a round every camera has exactly one slot, in an order that another hash decides. So each
//! camera goes through its cycle one step a round: what was started is always stopped before it starts
//! again, and equal events of one camera are at least two rounds apart.

use std::collections::HashMap;

use crate::stamp::SECOND;

/// The site that several instances record.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    cameras: u64,
    slots_in_round: u64,
    ticks_per_slot: i64,
    /// Added to the number of a slot.
    first: i64,
    crowded: bool,
}

/// Something that happened, seen by every instance that records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Its number; grows with time.
    pub physical: i64,
    /// When, in ticks since the UNIX epoch.
    pub at: i64,
    /// Where and what.
    pub what: What,
}

/// Where and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// At the camera with this physical index.
    Camera(usize, Kind),
    /// Somebody triggers a user-defined event; the number chooses which.
    UserDefined(u64),
}

/// What can happen at a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something moves.
    MotionStarted,
    /// Nothing moves any more.
    MotionStopped,
    /// The recorder writes.
    RecordingStarted,
    /// The recorder does not write any more.
    RecordingStopped,
    /// The camera is lost.
    CommunicationError,
    /// The camera is back.
    CommunicationStarted,
    /// Somebody looks.
    FeedRequested,
    /// Nobody looks any more.
    FeedTerminated,
}

impl Kind {
    /// Every kind, for look-ups.
    pub const ALL: [Self; 8] = [
        Self::MotionStarted,
        Self::MotionStopped,
        Self::RecordingStarted,
        Self::RecordingStopped,
        Self::CommunicationError,
        Self::CommunicationStarted,
        Self::FeedRequested,
        Self::FeedTerminated,
    ];

    /// The name in the control API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MotionStarted => "motion-started",
            Self::MotionStopped => "motion-stopped",
            Self::RecordingStarted => "recording-started",
            Self::RecordingStopped => "recording-stopped",
            Self::CommunicationError => "communication-error",
            Self::CommunicationStarted => "communication-started",
            Self::FeedRequested => "feed-requested",
            Self::FeedTerminated => "feed-terminated",
        }
    }

    /// The state machine that it moves; both kinds of a pair have the same.
    #[must_use]
    pub fn machine(self) -> Machine {
        match self {
            Self::MotionStarted | Self::MotionStopped => Machine::Motion,
            Self::RecordingStarted | Self::RecordingStopped => Machine::Recording,
            Self::CommunicationError | Self::CommunicationStarted => Machine::Communication,
            Self::FeedRequested | Self::FeedTerminated => Machine::Feed,
        }
    }

    /// The VMS's own id of the event type: the same in every installation (protocol sheet 4.6).
    #[must_use]
    pub fn event_type(self) -> &'static str {
        match self {
            Self::MotionStarted => "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77",
            Self::MotionStopped => "6f55a7a7-d21c-4629-ac18-af1975e395a2",
            Self::RecordingStarted => "4577f552-765a-438c-bc7d-e5ff1f754bc3",
            Self::RecordingStopped => "79a94f89-92de-4fca-8a43-5561d407423d",
            Self::CommunicationError => "a334af1c-4b4b-4957-9e5f-ab8ca07feab6",
            Self::CommunicationStarted => "dd3e6464-7dc0-405a-a92f-6150587563e8",
            Self::FeedRequested => "66bdd008-b856-44b6-b385-b1f6c3f76f1b",
            Self::FeedTerminated => "eeda47ff-4f3d-459e-8143-69896c7c74ad",
        }
    }
}

/// What a camera is in one of two states of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// Something moves or not.
    Motion,
    /// The recorder writes or not.
    Recording,
    /// The camera is there or not.
    Communication,
    /// Somebody looks or not.
    Feed,
}

/// The steps of a camera on a usual round trip, and on one with trouble. Both leave nothing started.
const USUAL: [Kind; 4] =
    [Kind::MotionStarted, Kind::RecordingStarted, Kind::MotionStopped, Kind::RecordingStopped];
const TROUBLE: [Kind; 4] =
    [Kind::CommunicationError, Kind::CommunicationStarted, Kind::MotionStarted, Kind::MotionStopped];

/// The steps of a camera in a burst. Nothing else makes these events, so each is told from all others by camera, kind
/// and a time that is at least two rounds of the burst from the next one.
const CROWD: [Kind; 4] =
    [Kind::FeedRequested, Kind::FeedTerminated, Kind::FeedRequested, Kind::FeedTerminated];

/// The numbers of events in a burst begin here: they grow with time, and no other event has them.
pub const FIRST_OF_BURST: i64 = 1 << 52;

/// One cycle in this many has trouble.
const TROUBLE_IN: u64 = 8;

/// Events a second that a burst adds at most.
const MOST_IN_BURST: f64 = 100_000.0;

/// Hash domains, so that equal arguments of different questions have different answers.
mod domain {
    pub const ORDER: u64 = 1;
    pub const MOMENT: u64 = 2;
    pub const OFFSET: u64 = 3;
    pub const TROUBLE: u64 = 4;
    pub const CHOICE: u64 = 5;
    pub const BURST: u64 = 6;
    pub const NAME: u64 = 101;
}

impl World {
    /// A world with this many cameras and `rate` events a second; `None` if nothing ever happens in it.
    #[must_use]
    pub fn new(seed: u64, cameras: usize, rate: f64) -> Option<Self> {
        if !rate.is_finite() || rate <= 0.0 {
            return None;
        }
        let cameras = u64::try_from(cameras).unwrap_or(u64::MAX / 4).min(u64::MAX / 4);
        let ticks = (SECOND as f64 / rate).round().clamp(100.0, 1e15);
        // One slot in about twenty, and at least one, belongs to the user-defined events.
        let slots_in_round = cameras + 1 + cameras / 20;
        Some(Self { seed, cameras, slots_in_round, ticks_per_slot: ticks as i64, first: 0, crowded: false })
    }

    /// What happens in addition to a world of that rate when `factor` times as much does: a function of the arguments,
    /// so two instances with one factor see the same burst.
    #[must_use]
    pub fn burst(seed: u64, cameras: usize, rate: f64, factor: u32) -> Option<Self> {
        let more = (rate * f64::from(factor.saturating_sub(1))).min(MOST_IN_BURST);
        let world = Self::new(mix(seed, domain::BURST, u64::from(factor), 0), cameras, more)?;
        let slots_in_round = world.cameras.max(1);
        (cameras > 0).then_some(Self { slots_in_round, first: FIRST_OF_BURST, crowded: true, ..world })
    }

    /// The number of the first event at or after `ticks`.
    #[must_use]
    pub fn first_from(&self, ticks: i64) -> i64 {
        let event = ticks.div_euclid(self.ticks_per_slot).saturating_add(self.first);
        if self.at(event) >= ticks { event } else { event + 1 }
    }

    /// When event `physical` happens.
    #[must_use]
    pub fn at(&self, physical: i64) -> i64 {
        let within =
            mix(self.seed, domain::MOMENT, physical.cast_unsigned(), 0) % self.ticks_per_slot.cast_unsigned();
        let slot = physical.saturating_sub(self.first);
        slot.saturating_mul(self.ticks_per_slot).saturating_add(within.cast_signed())
    }

    /// Event `physical`.
    #[must_use]
    pub fn happening(&self, physical: i64) -> Happening {
        let slots = self.slots_in_round.cast_signed();
        let number = physical.saturating_sub(self.first);
        let round = number.div_euclid(slots).cast_unsigned();
        let slot = number.rem_euclid(slots).cast_unsigned();
        let who = self.who(round, slot);
        let what = if who < self.cameras {
            What::Camera(usize::try_from(who).unwrap_or(usize::MAX), self.step(who, round))
        } else {
            What::UserDefined(mix(self.seed, domain::CHOICE, physical.cast_unsigned(), 0))
        };
        Happening { physical, at: self.at(physical), what }
    }

    /// The last event before `ticks` of every state machine of every camera, oldest first. It looks back far
    /// enough to find motion and recording of every camera and trouble of nearly every one.
    #[must_use]
    pub fn states_before(&self, ticks: i64) -> Vec<Happening> {
        const ROUNDS: i64 = 160;
        const AT_MOST: i64 = 1_000_000;
        let next = self.first_from(ticks);
        let depth = self.slots_in_round.cast_signed().saturating_mul(ROUNDS).min(AT_MOST);
        let mut last = HashMap::new();
        for physical in next.saturating_sub(depth)..next {
            let happening = self.happening(physical);
            if let What::Camera(camera, kind) = happening.what {
                last.insert((camera, kind.machine()), happening);
            }
        }
        let mut last: Vec<Happening> = last.into_values().collect();
        last.sort_unstable_by_key(|happening| happening.physical);
        last
    }

    /// Whose turn it is: an affine permutation of the round's slots.
    fn who(&self, round: u64, slot: u64) -> u64 {
        let slots = self.slots_in_round;
        let hash = mix(self.seed, domain::ORDER, round, 0);
        let (mut factor, shift) = ((hash >> 32) % slots, (hash & 0xffff_ffff) % slots);
        while common_divisor(factor, slots) != 1 {
            factor = (factor + 1) % slots;
        }
        let wide = u128::from(factor) * u128::from(slot) + u128::from(shift);
        u64::try_from(wide % u128::from(slots)).unwrap_or(0)
    }

    fn step(&self, camera: u64, round: u64) -> Kind {
        let turn = round.wrapping_add(mix(self.seed, domain::OFFSET, camera, 0) % 4);
        let cycle = if self.crowded {
            CROWD
        } else if mix(self.seed, domain::TROUBLE, camera, turn / 4).is_multiple_of(TROUBLE_IN) {
            TROUBLE
        } else {
            USUAL
        };
        match turn % 4 {
            0 => cycle[0],
            1 => cycle[1],
            2 => cycle[2],
            _ => cycle[3],
        }
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A 64-bit hash of the arguments, the same on every machine.
#[must_use]
pub fn mix(seed: u64, domain: u64, a: u64, b: u64) -> u64 {
    [domain, a, b].into_iter().fold(scramble(seed), |state, word| scramble(state ^ scramble(word)))
}

/// [`mix`] of a text.
#[must_use]
pub fn hash_text(seed: u64, domain: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed, domain, 0, 0), |state, byte| mix(state, domain, u64::from(byte), 1))
}

/// A number that is different for every name of an instance.
#[must_use]
pub fn instance_number(seed: u64, name: &str) -> u64 {
    hash_text(seed, domain::NAME, name)
}

/// The finaliser of splitmix64: every input bit changes about half of the output bits.
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn world(cameras: usize) -> World {
        World::new(7, cameras, 2.0).unwrap()
    }

    #[test]
    fn nothing_happens_without_a_rate() {
        assert!(World::new(1, 5, 0.0).is_none());
        assert!(World::new(1, 5, f64::NAN).is_none());
    }

    #[test]
    fn a_camera_alternates() {
        let world = world(20);
        let mut running: HashMap<(usize, u8), bool> = HashMap::new();
        let mut kinds = HashMap::new();
        for physical in 1_000_000..1_020_000 {
            let What::Camera(camera, kind) = world.happening(physical).what else { continue };
            *kinds.entry(kind).or_insert(0) += 1;
            let (group, on) = match kind {
                Kind::MotionStarted => (0, true),
                Kind::MotionStopped => (0, false),
                Kind::RecordingStarted => (1, true),
                Kind::RecordingStopped => (1, false),
                Kind::CommunicationError => (2, true),
                Kind::CommunicationStarted => (2, false),
                Kind::FeedRequested | Kind::FeedTerminated => panic!("only in bursts"),
            };
            let before = running.insert((camera, group), on);
            assert_ne!(before, Some(on), "{camera} {kind:?} twice");
        }
        assert_eq!(kinds.len(), Kind::ALL.len() - 2);
    }

    #[test]
    fn a_burst_is_of_its_own_kind() {
        let burst = World::burst(7, 20, 2.0, 10).unwrap();
        let minute = 60 * SECOND;
        let (from, to) = (burst.first_from(1_000 * minute), burst.first_from(1_001 * minute));
        assert!((1_070..1_090).contains(&(to - from)), "{} in a minute", to - from);
        assert!(from >= FIRST_OF_BURST && burst.at(from) >= 1_000 * minute);
        let mut last = HashMap::new();
        for physical in from..to {
            let What::Camera(camera, kind) = burst.happening(physical).what else { panic!("no camera") };
            assert_eq!(kind.machine(), Machine::Feed);
            assert_ne!(last.insert(camera, kind), Some(kind), "a camera alternates");
            assert!(burst.at(physical) < burst.at(physical + 1));
        }
        assert_eq!(last.len(), 20);
        assert!(World::burst(7, 0, 2.0, 10).is_none() && World::burst(7, 20, 0.0, 10).is_none());
    }

    #[test]
    fn states_are_the_last_events() {
        let world = world(30);
        let now = world.at(1_000_000);
        let states = world.states_before(now);
        let of = |machine: Machine| {
            let wanted =
                |state: &&Happening| matches!(state.what, What::Camera(_, kind) if kind.machine() == machine);
            states.iter().filter(wanted).count()
        };
        assert_eq!((of(Machine::Motion), of(Machine::Recording)), (30, 30));
        assert!(of(Machine::Communication) > 20);
        assert!(states.iter().all(|state| state.at < now));
    }

    #[test]
    fn each_camera_once_a_round() {
        let world = world(50);
        let slots = i64::try_from(world.slots_in_round).unwrap();
        for round in 0..20 {
            let mut seen: Vec<usize> = (round * slots..(round + 1) * slots)
                .filter_map(|physical| match world.happening(physical).what {
                    What::Camera(camera, _) => Some(camera),
                    What::UserDefined(_) => None,
                })
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..50).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn numbers_grow_with_time(seed: u64, cameras in 0_usize..300, start in 0_i64..10_000_000_000) {
            let world = World::new(seed, cameras, 2.0).unwrap();
            prop_assert!(world.at(start) < world.at(start + 1));
            prop_assert_eq!(world.first_from(world.at(start)), start);
            prop_assert_eq!(world.first_from(world.at(start) + 1), start + 1);
            let _ = world.happening(start);
        }

        #[test]
        fn no_argument_panics(seed: u64, cameras: usize, rate: f64, physical: i64) {
            if let Some(world) = World::new(seed, cameras, rate) {
                let _ = world.happening(physical);
                let _ = world.first_from(physical);
            }
        }
    }
}
