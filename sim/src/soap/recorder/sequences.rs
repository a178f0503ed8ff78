//! What was recorded, and when.

use super::MICROS;
use crate::{
    rest::effects::sequences::{Around, Sequence, TYPES, around as find},
    soap::{Call, Fault, xml::Xml},
    stamp::Stamp,
};

/// Farther than anything that is recorded, in seconds.
const FAR: i64 = 36_500 * 86_400;

/// `SequencesGetTypes`.
pub fn types(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    call.device(&call.desk.world(), "PLAYBACK")?;
    for (id, name) in TYPES {
        xml.open("SequenceType", |xml| {
            xml.put("Id", id);
            xml.put("Name", name);
        });
    }
    Ok(())
}

/// `SequencesGet`: onwards from a time.
pub fn get(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let (from, to) = (call.time("minTime")?.seconds(), call.time("maxTime")?.seconds());
    let most_after = call.count("maxCount")?;
    write(call, &Around { time: from, before: 0, after: to - from, most_before: 0, most_after }, xml)
}

/// `SequencesGetAround`.
pub fn around(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let (most_before, most_after) = (call.count("maxCountBefore")?, call.count("maxCountAfter")?);
    let time = call.time("centerTime")?.seconds();
    write(call, &Around { time, before: FAR, after: FAR, most_before, most_after }, xml)
}

/// `SequencesGetAroundWithSpan`.
pub fn around_with_span(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let (most_before, most_after) = (call.count("maxCountBefore")?, call.count("maxCountAfter")?);
    let time = call.time("centerTime")?.seconds();
    let (before, after) = (call.micros("maxTimeBefore")? / MICROS, call.micros("maxTimeAfter")? / MICROS);
    write(call, &Around { time, before, after, most_before, most_after }, xml)
}

fn write(call: &Call<'_>, wanted: &Around, xml: &mut Xml) -> Result<(), Fault> {
    let kind = kind(&call.guid("sequenceType")?.to_string()).ok_or(Fault::Argument("sequenceType"))?;
    let world = call.desk.world();
    let device = call.device(&world, "PLAYBACK")?;
    for found in find(device, kind, wanted, call.desk.instance.now) {
        entry(found, xml);
    }
    Ok(())
}

/// The name of a type.
pub fn kind(id: &str) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

fn entry(found: Sequence, xml: &mut Xml) {
    // Recorders write all seven digits, and a client reads no shorter form.
    let wire = |seconds: i64| Stamp::from_seconds(seconds).wire();
    xml.open("SequenceEntry", |xml| {
        xml.put("TimeBegin", wire(found.begin));
        xml.put("TimeTrigged", wire(found.trigger()));
        xml.put("TimeEnd", wire(found.end));
    });
}
