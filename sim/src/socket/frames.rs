//! Event frames: never empty, and small enough for clients with a read limit of 32 KiB (protocol sheet 4.3).

use std::sync::Arc;

use crate::journal::Event;

/// The largest frame, unless a single event is larger.
const LARGEST: usize = 30 * 1024;

const START: &str = "{\"events\":[";
const END: &str = "]}";

/// The frames that carry these events, in order. No events, no frame.
#[must_use]
pub fn frames(events: &[Arc<Event>]) -> Vec<String> {
    let mut frames = Vec::new();
    let mut frame = String::new();
    for event in events {
        let event = event.to_cloud_event().to_string();
        if !frame.is_empty() && frame.len() + 1 + event.len() + END.len() > LARGEST {
            frames.push(std::mem::take(&mut frame) + END);
        }
        frame.push_str(if frame.is_empty() { START } else { "," });
        frame.push_str(&event);
    }
    if !frame.is_empty() {
        frames.push(frame + END);
    }
    frames
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn all_events_in_small_frames() {
        assert!(frames(&[]).is_empty());
        let events: Vec<_> = (0..1_000)
            .map(|n| {
                Arc::new(Event {
                    n,
                    physical: Some(0),
                    id: format!("id-{n}"),
                    resource: "cameras",
                    object: "00000000-0000-0000-0000-000000000000".into(),
                    kind: "t".into(),
                    time: 0,
                    state_group: None,
                    injected: false,
                    data: None,
                })
            })
            .collect();
        let mut ids = Vec::new();
        for frame in frames(&events) {
            assert!(frame.len() <= LARGEST);
            let frame: Value = serde_json::from_str(&frame).unwrap();
            let events = frame["events"].as_array().unwrap();
            assert!(!events.is_empty());
            ids.extend(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(ids, (0..1_000).map(|n| format!("id-{n}")).collect::<Vec<_>>());
    }
}
