//! `TimeLineInformationGet`: for each of many equal intervals, whether something was recorded in it.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{MICROS, sequences::kind};
use crate::{
    rest::effects::sequences::{self, Around},
    soap::{Call, Fault, xml::Xml},
    stamp::Stamp,
    world::Object,
};

/// Most intervals in a call.
const MOST: usize = 10_000;

/// Intervals of equal length, in microseconds.
struct Scale {
    begin: i64,
    interval: i64,
    count: usize,
}

/// `TimeLineInformationGet`.
pub fn get(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    const BEGIN: &str = "timeLineInformationBeginTime";
    const INTERVAL: &str = "timeLineInformationInterval";
    const COUNT: &str = "timeLineInformationCount";
    const TYPES: &str = "timeLineInformationTypes";
    let begin = call.time(BEGIN)?;
    let interval = Some(call.micros(INTERVAL)?).filter(|micros| *micros > 0);
    let scale = Scale {
        begin: begin.ticks() / 10,
        interval: interval.ok_or(Fault::Argument(INTERVAL))?,
        count: Some(call.count(COUNT)?).filter(|count| *count <= MOST).ok_or(Fault::Argument(COUNT))?,
    };
    let mut types = call.guids(TYPES)?;
    types.sort_unstable();
    types.dedup();
    let world = call.desk.world();
    let device = call.device(&world, "PLAYBACK")?;
    for id in types {
        let kind = kind(&id).ok_or(Fault::Argument(TYPES))?;
        xml.open("TimeLineInformationData", |xml| {
            xml.put("DeviceId", &device.id);
            xml.put("Type", &id);
            xml.put("BeginTime", begin.wire());
            xml.open("Interval", |xml| xml.put("MicroSeconds", scale.interval));
            xml.put("Count", scale.count);
            xml.put("Data", BASE64_STANDARD.encode(bits(device, kind, &scale, call.desk.instance.now)));
        });
    }
    Ok(())
}

/// One bit an interval, the first one lowest in the first byte.
fn bits(device: &Object, kind: &str, scale: &Scale, now: Stamp) -> Vec<u8> {
    let mut bits = vec![0; scale.count.div_ceil(8)];
    let mut edge = scale.begin;
    for place in 0..scale.count {
        let next = edge.saturating_add(scale.interval);
        let (time, last) = (edge.div_euclid(MICROS), (next - 1).div_euclid(MICROS));
        let wanted = Around { time, before: 0, after: last - time, most_before: 0, most_after: 1 };
        if !sequences::around(device, kind, &wanted, now).is_empty()
            && let Some(byte) = bits.get_mut(place / 8)
        {
            *byte |= 1 << (place % 8);
        }
        edge = next;
    }
    bits
}
