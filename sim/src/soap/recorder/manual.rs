//! Recordings by hand: the same that `StartRecording` and `StopRecording` of the configuration API start and stop, and
//! for whoever may do that.

use std::sync::PoisonError;

use crate::{
    rest::effects::manual,
    soap::{Call, Fault, xml::Xml},
    stamp::Stamp,
    world::Object,
};

/// Most devices in a call.
const MOST: usize = 1000;
/// How a device is said to have done what was asked, and not to.
const SUCCESS: (u32, &str) = (0, "Success");
const UNKNOWN: (u32, &str) = (1, "Unknown device");

/// `IsManualRecording`: of a device that is not known, no.
pub fn is(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let world = call.desk.world();
    for id in devices(call)? {
        let device = call.seen(&world, &id);
        let runs = device.is_some_and(|device| manual::runs(device, call.desk.instance.now));
        xml.open("ManualRecordingInfo", |xml| {
            xml.put("DeviceId", id);
            xml.put("IsManualRecording", runs);
        });
    }
    Ok(())
}

/// `StartManualRecording`.
pub fn start(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    change(call, xml, manual::begin)
}

/// `StopManualRecording`.
pub fn stop(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    change(call, xml, manual::finish)
}

/// Each device says by itself how it went.
fn change(
    call: &Call<'_>,
    xml: &mut Xml,
    what: fn(&mut Object, Stamp) -> Result<(), String>,
) -> Result<(), Fault> {
    let mut world = call.desk.instance.world.write().unwrap_or_else(PoisonError::into_inner);
    for id in devices(call)? {
        let kind = call.seen(&world, &id).map(|device| device.kind);
        let device = kind.and_then(|kind| world.store.get_mut(kind, &id));
        let (code, text) = match device.map(|device| what(device, call.desk.instance.now)) {
            Some(Ok(())) => (SUCCESS.0, SUCCESS.1.to_owned()),
            Some(Err(text)) => (UNKNOWN.0, text),
            None => (UNKNOWN.0, UNKNOWN.1.to_owned()),
        };
        xml.open("ManualRecordingResult", |xml| {
            xml.put("DeviceId", id);
            xml.put("ResultCode", code);
            xml.put("Message", text);
        });
    }
    Ok(())
}

fn devices(call: &Call<'_>) -> Result<Vec<String>, Fault> {
    call.guids("deviceIds").ok().filter(|ids| ids.len() <= MOST).ok_or(Fault::Argument("deviceIds"))
}
