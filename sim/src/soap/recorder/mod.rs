//! What recording servers offer to clients (sheet 6.3), on port 7563 of their own in a real system.
//!
//! Here every recording server of an instance answers at the instance's one listener, and each knows the devices of
//! all. Media goes around a gatekeeper, so the path belongs to none of its services. Callers say who they are with the
//! SOAP token that the Management Server gave them; a JWT is refused (sheet 2.8).

mod manual;
mod pictures;
mod sequences;
mod timeline;

use super::{
    Call, Fault,
    methods::{GUIDS, Method, TOKEN},
};
use crate::{
    rest::tasks::reach,
    rights,
    stamp::Stamp,
    world::{Object, World},
};

const DEVICE: (&str, &str) = ("deviceId", "guid");
const TYPE: (&str, &str) = ("sequenceType", "guid");
const CENTER: (&str, &str) = ("centerTime", "dateTime");
const COUNT_BEFORE: (&str, &str) = ("maxCountBefore", "int");
const COUNT_AFTER: (&str, &str) = ("maxCountAfter", "int");

macro_rules! methods {
    ($($name:literal ($($argument:expr),*) $run:path;)*) => {
        &[$(Method {
            name: $name,
            arguments: &[TOKEN, $($argument),*],
            result: Some("anyType"),
            // It has said who calls before the operation runs.
            token: false,
            run: $run,
        }),*]
    };
}

/// The operations.
pub static COMMANDS: &[Method] = methods! {
    "SequencesGetTypes" (DEVICE) sequences::types;
    "SequencesGet" (DEVICE, TYPE, ("minTime", "dateTime"), ("maxTime", "dateTime"), ("maxCount", "int")) sequences::get;
    "SequencesGetAround" (DEVICE, TYPE, CENTER, COUNT_BEFORE, COUNT_AFTER) sequences::around;
    "SequencesGetAroundWithSpan" (DEVICE, TYPE, CENTER, ("maxTimeBefore", "anyType"), COUNT_BEFORE,
        ("maxTimeAfter", "anyType"), COUNT_AFTER) sequences::around_with_span;
    "TimeLineInformationGet" (DEVICE, ("timeLineInformationTypes", GUIDS),
        ("timeLineInformationBeginTime", "dateTime"), ("timeLineInformationInterval", "anyType"),
        ("timeLineInformationCount", "int")) timeline::get;
    "IsManualRecording" (("deviceIds", GUIDS)) manual::is;
    "StartManualRecording" (("deviceIds", GUIDS)) manual::start;
    "StopManualRecording" (("deviceIds", GUIDS)) manual::stop;
    "JPEGGetAt" (DEVICE, ("time", "dateTime")) pictures::at;
    "JPEGGetAtOrBefore" (DEVICE, ("time", "dateTime")) pictures::at_or_before;
    "JPEGGetAtOrAfter" (DEVICE, ("time", "dateTime")) pictures::at_or_after;
    "JPEGGetLive" (DEVICE, ("maxWidth", "int"), ("maxHeight", "int")) pictures::live;
};

/// Types of devices that record.
const KINDS: [&str; 4] = ["cameras", "microphones", "speakers", "metadata"];
/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

impl Call<'_> {
    /// The device that the caller asks about and may do this with.
    fn device<'a>(&self, world: &'a World, action: &str) -> Result<&'a Object, Fault> {
        let id = self.guid("deviceId")?.to_string();
        let device = self.seen(world, &id).ok_or(Fault::Denied)?;
        let mask = rights::mask(world, self.caller.role, Some(device));
        if mask & rights::action(action) != 0 { Ok(device) } else { Err(Fault::Denied) }
    }

    /// A device that the caller sees. A recording server knows only what is on.
    fn seen<'a>(&self, world: &'a World, id: &str) -> Option<&'a Object> {
        let device = KINDS.into_iter().find_map(|kind| world.store.get(kind, id))?;
        let works = reach::barrier(world, (device.kind, id)).is_none();
        (works && rights::sees(world, self.caller.role, device)).then_some(device)
    }

    fn time(&self, name: &'static str) -> Result<Stamp, Fault> {
        Stamp::parse(self.text(name)).ok_or(Fault::Argument(name))
    }

    fn int(&self, name: &'static str) -> Result<i32, Fault> {
        self.text(name).parse().map_err(|_| Fault::Argument(name))
    }

    /// A number of things; what is below none counts as none.
    fn count(&self, name: &'static str) -> Result<usize, Fault> {
        self.int(name).map(|count| usize::try_from(count).unwrap_or_default())
    }

    /// A length of time in microseconds, at most a hundred years.
    fn micros(&self, name: &'static str) -> Result<i64, Fault> {
        const MOST: i64 = 36_500 * 86_400 * MICROS;
        let micros = self.arguments.child(name).and_then(|length| length.child("MicroSeconds"));
        let micros = micros.and_then(|micros| micros.text.trim().parse().ok());
        micros.filter(|micros| (0..=MOST).contains(micros)).ok_or(Fault::Argument(name))
    }
}
