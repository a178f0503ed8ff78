//! Tasks on video walls. What a monitor shows is the text `monitorState`, made from hidden members.

use std::fmt::Write;

use serde_json::Value;

use crate::{
    rest::{
        finish::PRESET,
        tasks::{Effected, Invocation},
    },
    world::{Object, World},
};

const GONE: &str = "The object is gone.";
const CAMERAS: &str = "_cameras";
const LAYOUT: &str = "_layout";
const TEXT: &str = "_text";
/// Positions of a monitor.
const MOST: usize = 100;

/// `ApplyCameras` and `ApplyCamerasAndLayout`: from a position on.
pub fn cameras(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let new = named(world, task);
    let begin = task.parameters.get("beginPosition").and_then(Value::as_u64);
    let begin = begin.and_then(|begin| usize::try_from(begin).ok()).filter(|begin| begin + new.len() <= MOST);
    let begin = begin.ok_or_else(|| format!("Bad request: a monitor has {MOST} positions"))?;
    let layout = task.text("layoutPath").to_owned();
    change(world, task, |monitor| {
        let mut shown = shown(monitor);
        shown.resize(shown.len().max(begin + new.len()), String::new());
        for (place, camera) in shown.iter_mut().skip(begin).zip(new) {
            *place = camera;
        }
        monitor.set(CAMERAS, shown);
        if !layout.is_empty() {
            monitor.set(LAYOUT, vec![layout]);
        }
    })
}

/// `RemoveCameras`.
pub fn remove_cameras(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let gone = named(world, task);
    change(world, task, |monitor| {
        let mut shown = shown(monitor);
        shown.iter_mut().filter(|camera| gone.contains(camera)).for_each(String::clear);
        monitor.set(CAMERAS, shown);
    })
}

/// `ApplyViewItemsXml{beginPosition, viewItemsXml}`.
pub fn items(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |monitor| monitor.set(TEXT, vec![task.text("viewItemsXml")]))
}

/// `ApplyMonitorState{monitorState}`: taken as it is.
pub fn state(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let monitor = world.store.get_mut("monitors", task.target.1).ok_or(GONE)?;
    monitor.set("monitorState", task.text("monitorState"));
    monitor.set("lastModified", task.now.wire());
    Ok(Effected::default())
}

/// `ApplyLayout{layoutPath}`.
pub fn layout(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |monitor| monitor.set(LAYOUT, vec![task.text("layoutPath")]))
}

/// `ApplyTextAndLayout{textMessage, layoutPath, beginPosition}`.
pub fn text(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    change(world, task, |monitor| {
        monitor.set(LAYOUT, vec![task.text("layoutPath")]);
        monitor.set(TEXT, vec![task.text("textMessage")]);
    })
}

/// `Activate` of a preset of a wall: each monitor shows its part of it.
pub fn activate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let parts = world.store.all("monitorPresets").filter(|part| part.text(PRESET) == task.target.1);
    let states: Vec<(String, String)> = parts
        .filter_map(|part| Some((part.parent.as_ref()?.1.clone(), part.text("definitionXml").to_owned())))
        .collect();
    for (monitor, state) in states {
        if let Some(monitor) = world.store.get_mut("monitors", &monitor) {
            monitor.set("monitorState", state);
            monitor.set("lastModified", task.now.wire());
        }
    }
    Ok(Effected::default())
}

/// The cameras and members of groups that a task names.
fn named(world: &World, task: &Invocation<'_>) -> Vec<String> {
    let ids = |name: &str| -> Vec<String> {
        let list = task.parameters.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|item| item.get("id")?.as_str()).map(str::to_owned).collect()
    };
    let mut cameras = ids("cameraPaths");
    for group in ids("cameraGroupPaths") {
        cameras.extend(world.store.members(&group, "cameras").iter().cloned());
    }
    cameras
}

fn shown(monitor: &Object) -> Vec<String> {
    let list = monitor.fields.get(CAMERAS).and_then(Value::as_array).into_iter().flatten();
    list.map(|camera| camera.as_str().unwrap_or_default().to_owned()).collect()
}

fn change(
    world: &mut World,
    task: &Invocation<'_>,
    how: impl FnOnce(&mut Object),
) -> Result<Effected, String> {
    let monitor = world.store.get_mut("monitors", task.target.1).ok_or(GONE)?;
    how(monitor);
    let hidden =
        |name: &str| monitor.fields.get(name).and_then(|value| value.get(0)?.as_str()).unwrap_or_default();
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut xml = format!("<monitorstate layout=\"{}\" text=\"{}\">", hidden(LAYOUT), escaped(hidden(TEXT)));
    for (position, camera) in shown(monitor).iter().enumerate().filter(|(_, camera)| !camera.is_empty()) {
        // Writing into a string cannot fail.
        let _ = write!(xml, "<camera position=\"{position}\" id=\"{camera}\" />");
    }
    xml.push_str("</monitorstate>");
    monitor.set("monitorState", xml);
    monitor.set("lastModified", task.now.wire());
    Ok(Effected::default())
}
