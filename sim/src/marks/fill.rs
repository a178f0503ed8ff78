//! What a body makes of a mark, for both kinds.

use serde_json::{Map, Value};

use super::{
    Context,
    shelf::{Device, Mark},
};
use crate::{
    rest::{body, error::RestError, field::guid, source, table},
    stamp::Stamp,
    world::{World, ids},
};

/// Types whose objects record.
const RECORDING: [&str; 4] = ["cameras", "microphones", "speakers", "metadata"];

impl Context<'_> {
    /// A mark with what both kinds have; [`Context::set_common`] fills in the rest.
    pub fn mark(&self, body: &Map<String, Value>, devices: Vec<Device>) -> Result<Mark, RestError> {
        let mut fields = Map::new();
        for name in ["header", "description"] {
            fields.insert(name.to_owned(), "".into());
        }
        let reference = body::text(body, "reference")?.filter(|reference| !reference.is_empty());
        let reference = reference.map_or_else(|| self.shelf().next_reference(), str::to_owned);
        fields.insert("reference".to_owned(), reference.into());
        fields.insert("user".to_owned(), self.call.caller.user.clone().into());
        Ok(Mark { id: ids::fresh(), devices, fields, expires: None })
    }

    /// Sets the texts and times that a body changes. `fallback`: times that it leaves out.
    pub fn set_common(
        &self,
        body: &Map<String, Value>,
        mark: &mut Mark,
        fallback: [Stamp; 3],
    ) -> Result<(), RestError> {
        for name in ["header", "description"] {
            if let Some(text) = body::text(body, name)? {
                mark.fields.insert(name.to_owned(), text.into());
            }
        }
        let mut times = fallback;
        for (time, name) in times.iter_mut().zip(self.kind.times) {
            *time = body::time(body, name)?.unwrap_or(*time);
        }
        if !times.is_sorted() {
            let [begin, moment, end] = self.kind.times;
            return Err(RestError::property(moment, format!("it must be from {begin} to {end}")));
        }
        for (time, name) in times.into_iter().zip(self.kind.times) {
            mark.fields.insert(name.to_owned(), time.wire().into());
        }
        Ok(())
    }

    /// The times of a mark as they are.
    pub fn times(&self, mark: &Mark) -> [Stamp; 3] {
        self.kind.times.map(|name| Stamp::parse(mark.text(name)).unwrap_or(self.call.now))
    }

    /// The device of a reference `{type, id}`, if it records and the caller sees it.
    pub fn device(&self, world: &World, property: &str, reference: &Value) -> Result<Device, RestError> {
        let part = |name: &str| reference.get(name).and_then(Value::as_str);
        let kind = part("type").and_then(table::find).filter(|kind| RECORDING.contains(&kind.name()));
        let (Some(kind), Some(id)) = (kind, part("id").and_then(guid)) else {
            return Err(RestError::property(property, "type and id of a device that records were expected"));
        };
        let device = source::named(self.call, world, property, &format!("{}/{id}", kind.name()))?;
        Ok((device.kind, device.id.clone()))
    }
}
