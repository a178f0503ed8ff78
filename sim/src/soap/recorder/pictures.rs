//! Single pictures, live and recorded. A recorded one is what the camera showed live in that second.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    rest::effects::{
        live,
        sequences::{self, Around, MOST, RECORDING},
    },
    soap::{Call, Fault, xml::Xml},
    stamp::{Stamp, UNSET},
    world::Object,
};

/// Size of recorded pictures.
const SIZE: (u16, u16) = (640, 480);
/// Seconds to either side in which a picture is sure to be found if there is one.
const FAR: i64 = 36_500 * 86_400;

/// `JPEGGetLive`.
pub fn live(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let side = |name| -> Result<u16, Fault> {
        let most = call.int(name)?;
        let side = u16::try_from(most).ok().filter(|side| *side > 0).ok_or(Fault::Argument(name))?;
        Ok(side.min(live::LARGEST))
    };
    let size = (side("maxWidth")?, side("maxHeight")?);
    let world = call.desk.world();
    write(camera(call.device(&world, "VIEW_LIVE")?)?, Some(call.desk.instance.now), size, xml);
    Ok(())
}

/// `JPEGGetAt`: the nearest.
pub fn at(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    recorded(call, xml, |time, before, after| match (before, after) {
        (Some(before), Some(after)) if after - time < time - before => Some(after),
        (before, after) => before.or(after),
    })
}

/// `JPEGGetAtOrBefore`.
pub fn at_or_before(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    recorded(call, xml, |_, before, _| before)
}

/// `JPEGGetAtOrAfter`.
pub fn at_or_after(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    recorded(call, xml, |_, _, after| after)
}

/// Writes the picture of a second that `choose` takes: it gets the time, the last second with a picture until then and
/// the first one from then on.
fn recorded(
    call: &Call<'_>,
    xml: &mut Xml,
    choose: impl Fn(i64, Option<i64>, Option<i64>) -> Option<i64>,
) -> Result<(), Fault> {
    let time = call.time("time")?.seconds();
    let world = call.desk.world();
    let camera = camera(call.device(&world, "PLAYBACK")?)?;
    let now = call.desk.instance.now;
    let wanted = Around { time, before: FAR, after: FAR, most_before: MOST, most_after: MOST };
    // There is a picture for every second from begin to end, as long as it is not in the future.
    let seconds: Vec<_> = sequences::around(camera, RECORDING, &wanted, now)
        .into_iter()
        .map(|found| (found.begin, found.end.min(now.seconds())))
        .collect();
    let before = seconds.iter().filter(|(begin, _)| *begin <= time).map(|(_, end)| time.min(*end)).max();
    let after = seconds.iter().filter(|(_, end)| *end >= time).map(|(begin, _)| time.max(*begin)).min();
    write(camera, choose(time, before, after).map(Stamp::from_seconds), SIZE, xml);
    Ok(())
}

/// Only cameras make pictures.
fn camera(device: &Object) -> Result<&Object, Fault> {
    if device.kind == "cameras" { Ok(device) } else { Err(Fault::Argument("deviceId")) }
}

/// A picture and its time; where there is none, the lowest time and no data.
fn write(camera: &Object, time: Option<Stamp>, (width, height): (u16, u16), xml: &mut Xml) {
    let Some(time) = time else { return xml.put("Time", UNSET) };
    xml.put("Time", time.wire());
    xml.put("Data", BASE64_STANDARD.encode(live::jpeg(&camera.id, time.seconds(), width, height)));
}
