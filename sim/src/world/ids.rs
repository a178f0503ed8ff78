//! Ids and dice: everything made at start follows from name and seed.

use uuid::Uuid;

/// Namespace of all ids that the simulator derives.
const ROOT: Uuid = Uuid::from_u128(0x7d0c_3c52_51a1_4f0e_9a0e_5d8a_11f6_42b3);

/// "All cameras" group, equal on every installation (sheet 3.6).
pub const ALL_CAMERAS: &str = "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8";
/// The user-defined events that every installation ships with (sheet 3.6).
pub const BUILT_IN_EVENTS: [&str; 3] = [
    "85867627-b287-4439-9e55-a63701e1715b",
    "77b1e70d-ba8d-4bb8-9ee8-43b09746d82a",
    "7605f8b0-7f5f-4432-b223-0bb2dc3f1f5c",
];
/// Event-type group "Device - Predefined" (sheet 4.6).
pub const DEVICE_PREDEFINED: &str = "1ae79228-ad07-4e56-be43-5ebf9b7c54a5";
/// Event-type group "External Events": what clients define (sheet 3.6, rules).
pub const EXTERNAL_EVENTS: &str = "e8bd6cee-1119-4296-ba91-e3803e2c591e";
/// Generic event data sources of every installation (sheet 3.6).
pub const COMPATIBLE_SOURCE: &str = "b867db0c-be9e-422b-b934-6fc7fa98c5d8";
/// The other one.
pub const INTERNATIONAL_SOURCE: &str = "8607bccc-2bb5-4b47-a7de-8225d14c4213";
/// Security namespace of cameras (sheet 3.6).
pub const CAMERA_NAMESPACE: &str = "623d03f8-c5d5-46bc-a2f4-4c03562d4f85";

/// Event-type group of the analytics events; no public material names its id.
pub fn analytics_group() -> String {
    shared("eventTypeGroups", "Analytics Events")
}

/// Makes the ids of one instance.
pub struct Ids {
    own: Uuid,
}

impl Ids {
    /// Ids of the instance of that name and seed.
    pub fn new(name: &str, seed: u64) -> Self {
        Self { own: Uuid::new_v5(&ROOT, format!("{seed}/{name}").as_bytes()) }
    }

    /// The id of the `index`-th object of a type.
    pub fn of(&self, kind: &str, index: usize) -> String {
        Uuid::new_v5(&self.own, format!("{kind}/{index}").as_bytes()).to_string()
    }
}

/// An id that is the same on every installation.
pub fn shared(kind: &str, name: &str) -> String {
    Uuid::new_v5(&ROOT, format!("shared/{kind}/{name}").as_bytes()).to_string()
}

/// An id for an object that is made while the instance runs.
pub fn fresh() -> String {
    Uuid::new_v4().to_string()
}

/// A number that depends on all arguments and on nothing else (one round of a 64-bit finalizer for each part).
pub fn dice(seed: u64, kind: &str, index: usize) -> u64 {
    let start = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
    let named = kind.bytes().fold(start, |state, byte| mix(state ^ u64::from(byte)));
    mix(named ^ index as u64)
}

/// [`dice`] as a share in 0..1.
pub fn share(seed: u64, kind: &str, index: usize) -> f64 {
    (dice(seed, kind, index) >> 11) as f64 / (1_u64 << 53) as f64
}

const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)).wrapping_add(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_name_seed_type_and_index() {
        let id = |name, seed, kind, index| Ids::new(name, seed).of(kind, index);
        assert_eq!(id("A", 1, "cameras", 0), id("A", 1, "cameras", 0));
        let all = [
            id("A", 1, "cameras", 0),
            id("B", 1, "cameras", 0),
            id("A", 2, "cameras", 0),
            id("A", 1, "x", 0),
        ];
        assert!(all.iter().enumerate().all(|(n, a)| all.iter().skip(n + 1).all(|b| a != b)));
    }

    #[test]
    fn shares_are_spread() {
        let low = (0..1000).filter(|n| share(7, "cameras", *n) < 0.1).count();
        assert!((60..140).contains(&low), "{low}");
    }
}
