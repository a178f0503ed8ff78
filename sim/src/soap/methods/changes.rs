//! `QueryChanges` (sheet 2.8): hardware and recorders that changed, from the log of accepted changes.

use std::collections::BTreeMap;

use super::shorter;
use crate::{
    api::Write,
    rest::table,
    rights,
    soap::{Call, Fault, xml::Xml},
    stamp::Stamp,
    world::World,
};

/// What kind of thing changed, as the service calls it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    Hardware,
    Recorder,
}

impl Changed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "Hardware",
            Self::Recorder => "Recorder",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Recorder => "recordingServers",
        }
    }
}

/// `QueryChanges`: what changed after `changesFrom`, each object once with the time of its last change.
pub fn query(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let from = Stamp::parse(call.text("changesFrom")).ok_or(Fault::Argument("changesFrom"))?;
    let world = call.desk.world();
    let mut last = BTreeMap::new();
    for write in world.writes.iter() {
        if Stamp::parse(&write.time).is_none_or(|time| time <= from) {
            continue;
        }
        if let Some((changed, id)) = of(&world, write) {
            // One that is gone is nobody's secret any more; the id is all that is said.
            let object = world.store.get(changed.kind(), &id);
            if object.is_none_or(|object| rights::sees(&world, call.caller.role, object)) {
                last.insert((changed, id), write.time.as_str());
            }
        }
    }
    for ((changed, id), time) in last {
        xml.open("Change", |xml| {
            xml.put("Id", id);
            xml.put("Time", shorter(time));
            xml.put("ChangeType", changed.as_str());
        });
    }
    Ok(())
}

/// The hardware or recorder that a request changed: the object of its path, or the nearest one above that.
fn of(world: &World, write: &Write) -> Option<(Changed, String)> {
    let path = write.path.split('?').next().unwrap_or_default();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(3);
    let kind = segments.next()?;
    let mut id = segments.next()?.to_ascii_lowercase();
    let mut kind = table::find(kind)?.name();
    loop {
        match kind {
            "hardware" => return Some((Changed::Hardware, id)),
            "recordingServers" => return Some((Changed::Recorder, id)),
            _ => (kind, id) = world.store.get(kind, &id)?.parent.clone()?,
        }
    }
}
