//! Flap damping (design D5): who comes and goes waits longer each time.
//!
//! Each return to service within five minutes of the last doubles `stable_for` for the next, up to
//! ten minutes. Five minutes without a fault or a return end it.

use std::time::Duration;

use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};

/// The comings and goings of one (instance, service).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damping {
    /// `stable_for` is multiplied by 2 to this power.
    doublings: u32,
    last_return: Option<Moment>,
    /// The last time it went down or came back.
    last_change: Moment,
}

impl Damping {
    /// The service went down.
    pub fn went_down(&mut self, now: Moment) {
        self.settle(now);
        self.last_change = now;
    }

    /// The service came back.
    pub fn came_up(&mut self, now: Moment) {
        self.settle(now);
        let again = self.last_return.is_some_and(|last| now.since(last) < QUIET);
        self.doublings = if again { (self.doublings + 1).min(MOST_DOUBLINGS) } else { 0 };
        self.last_return = Some(now);
        self.last_change = now;
    }

    /// The factor on `stable_for`; 1 when not damped.
    pub fn factor(&self, now: Moment) -> u32 {
        if self.doublings == 0 || now.since(self.last_change) >= QUIET { 1 } else { 1 << self.doublings }
    }

    /// How long the service must be healthy before fail-back. The cap never makes it shorter than
    /// what the operator has set.
    pub fn stable_for(&self, setting: Duration, now: Moment) -> Duration {
        match self.factor(now) {
            1 => setting,
            factor => setting.saturating_mul(factor).min(CAP).max(setting),
        }
    }

    /// When a service that has been healthy since `since` may take over again, if nothing happens
    /// until then: damping may end before it is served.
    pub fn stable_at(&self, since: Moment, setting: Duration, now: Moment) -> Moment {
        let damped = since + self.stable_for(setting, now);
        self.ends(now).map_or(damped, |ends| damped.min(ends.max(since + setting)))
    }

    /// When the damping ends by itself if nothing happens; `None` when there is none.
    pub fn ends(&self, now: Moment) -> Option<Moment> {
        (self.factor(now) > 1).then(|| self.last_change + QUIET)
    }

    fn settle(&mut self, now: Moment) {
        if now.since(self.last_change) >= QUIET {
            self.doublings = 0;
        }
    }
}

/// The damping of every (instance, service).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(Vec<[Damping; Service::COUNT]>);

impl History {
    /// Nothing has happened yet.
    pub fn new(instances: usize) -> Self {
        Self(vec![[Damping::default(); Service::COUNT]; instances])
    }

    /// The damping of one (instance, service).
    pub fn get(&self, instance: InstanceId, service: Service) -> Damping {
        self.0.get(instance.index()).map_or_else(Damping::default, |d| d[service.index()])
    }

    /// To record a change; `None` if there is no such instance.
    pub fn get_mut(&mut self, instance: InstanceId, service: Service) -> Option<&mut Damping> {
        self.0.get_mut(instance.index()).map(|d| &mut d[service.index()])
    }

    /// Takes over everything known about an instance (at a reload, under its new id).
    pub fn copy_from(&mut self, id: InstanceId, earlier: &Self, earlier_id: InstanceId) {
        if let (Some(to), Some(from)) = (self.0.get_mut(id.index()), earlier.0.get(earlier_id.index())) {
            *to = *from;
        }
    }
}

/// Quiet for this long ends damping; a return after more than this is not one of a series.
pub const QUIET: Duration = Duration::from_secs(5 * 60);
/// Damping makes nobody wait longer.
pub const CAP: Duration = Duration::from_secs(10 * 60);
/// Enough for any `stable_for` of a second or more to reach [`CAP`], few enough not to overflow.
const MOST_DOUBLINGS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: u64) -> Moment {
        Moment::from_micros(s * 1_000_000)
    }

    const SET: Duration = Duration::from_secs(30);

    #[test]
    fn each_return_doubles_up_to_the_cap() {
        let mut damping = Damping::default();
        let mut waits = Vec::new();
        for i in 0..7 {
            damping.went_down(at(i * 10));
            damping.came_up(at(i * 10 + 5));
            waits.push(damping.stable_for(SET, at(i * 10 + 5)).as_secs());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn five_quiet_minutes_end_it() {
        let mut damping = Damping::default();
        damping.came_up(at(0));
        damping.came_up(at(10));
        assert_eq!(damping.factor(at(309)), 2);
        assert_eq!(damping.ends(at(20)), Some(at(310)));
        assert_eq!(damping.factor(at(310)), 1);
        assert_eq!(damping.ends(at(310)), None);
        damping.came_up(at(311));
        assert_eq!(damping.factor(at(311)), 1, "a new series starts afresh");
    }

    proptest! {
        /// Whatever happens: never shorter than the setting, never longer than setting or cap.
        #[test]
        fn stays_between_its_limits(
            steps in prop::collection::vec((any::<bool>(), 0_u64..400), 0..60),
            setting in 0_u64..2_000,
        ) {
            let setting = Duration::from_secs(setting);
            let (mut damping, mut now) = (Damping::default(), Moment::default());
            for (up, wait) in steps {
                now = now + Duration::from_secs(wait);
                if up { damping.came_up(now) } else { damping.went_down(now) }
                let stable = damping.stable_for(setting, now);
                prop_assert!(stable >= setting && stable <= setting.max(CAP));
                prop_assert_eq!(damping.factor(now + QUIET), 1);
            }
        }
    }
}
