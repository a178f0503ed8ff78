//! Tasks that talk to a camera or another device.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{GONE, jpeg, reply};
use crate::{
    rest::tasks::{Effected, Invocation},
    world::{World, ids},
};

/// Pixels on the longer side that a device delivers at most.
const LARGEST: i64 = 4096;

/// `JpegGetLive{width, height}`: a picture whose grey follows from camera and second.
pub fn picture(_: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let side = |name: &str| {
        let pixels = task.parameters.get(name).and_then(Value::as_i64).unwrap_or_default();
        let fits = (1..=LARGEST).contains(&pixels).then(|| u16::try_from(pixels).ok()).flatten();
        fits.ok_or_else(|| format!("Bad request: {name} must be from 1 to {LARGEST}"))
    };
    let (width, height) = (side("width")?, side("height")?);
    let shade = ids::dice(task.now.seconds().unsigned_abs(), task.target.1, 0).to_le_bytes();
    // Bright enough or dark enough for the encoder.
    let level = i8::from_le_bytes([64 | shade[0] & 0x3F]);
    let level = if shade[1] & 1 == 0 { level } else { -level };
    Ok(reply("jpegData", STANDARD.encode(jpeg::grey(width, height, level))))
}

/// `SendDriverCommand{driverCommand}`.
pub fn command(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    Ok(Effected::default())
}
