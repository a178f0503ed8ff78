//! Tasks that talk to a camera or another device.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{GONE, jpeg, reply};
use crate::{
    rest::tasks::{Effected, Invocation},
    world::{World, ids},
};

/// Pixels on the longer side that a device delivers at most.
pub const LARGEST: u16 = 4096;

/// The picture of a camera in a second: its grey follows from both.
pub fn jpeg(camera: &str, second: i64, width: u16, height: u16) -> Vec<u8> {
    let shade = ids::dice(second.unsigned_abs(), camera, 0).to_le_bytes();
    // Bright enough or dark enough for the encoder.
    let level = i8::from_le_bytes([64 | shade[0] & 0x3F]);
    jpeg::grey(width, height, if shade[1] & 1 == 0 { level } else { -level })
}

/// `JpegGetLive{width, height}`.
pub fn picture(_: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let side = |name: &str| {
        let pixels = task.parameters.get(name).and_then(Value::as_i64).unwrap_or_default();
        let fits = u16::try_from(pixels).ok().filter(|pixels| (1..=LARGEST).contains(pixels));
        fits.ok_or_else(|| format!("Bad request: {name} must be from 1 to {LARGEST}"))
    };
    let (width, height) = (side("width")?, side("height")?);
    let picture = jpeg(task.target.1, task.now.seconds(), width, height);
    Ok(reply("jpegData", STANDARD.encode(picture)))
}

/// `SendDriverCommand{driverCommand}`.
pub fn command(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    Ok(Effected::default())
}
