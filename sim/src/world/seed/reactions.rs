//! Time profiles, messages, rules and alarm definitions. They refer to cameras and events of the site; what divergence
//! left out is not referred to.

use serde_json::{Map, Value, json};

use super::Seed;
use crate::world::ids;

const MOTION_STARTED: &str = "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77";
const MOTION_STOPPED: &str = "6f55a7a7-d21c-4629-ac18-af1975e395a2";
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// Indexes of user-defined and analytics events.
const FIRE_DRILL: usize = 3;
const ESCORT_NEEDED: usize = 7;
const LOITERING: usize = 2;

impl Seed<'_> {
    pub(super) fn reactions(&mut self) {
        let night = self.time_profiles();
        // One only: milestonexprotectwspython reads no SOAP configuration with two.
        self.make("audioMessages", 0, json!({ "name": "Fire drill", "originalFileName": "message1.wav" }));
        for (index, (name, to)) in [("Guards", "guards"), ("Facility", "facility")].into_iter().enumerate() {
            let profile = json!({
                "name": name,
                "recipients": [format!("{to}@vms.example")],
                "subject": "Alarm at $DeviceName$",
                "messageText": "$TriggerTime$",
                "includeImages": index == 0,
                "embedImages": index == 0,
            });
            self.make("mailNotificationProfiles", index, profile);
        }
        self.rules(night.as_deref());
        self.alarm_definitions(night.as_deref());
    }

    /// Gives the id of the profile of the night.
    fn time_profiles(&mut self) -> Option<String> {
        let appointment = |subject: &str, start: &str, length: &str, days: i64, end: &str| {
            json!({
                "appointmentRootId": ids::shared("appointments", subject),
                "startDateTime": format!("2024-01-01T{start}.0000000Z"),
                "endDateTime": end,
                "recurrenceOccurrenceStartTime": start,
                "recurrenceOccurrenceDuration": length,
                "recurrencePatternFrequency": "Weekly",
                "recurrencePatternDaysOfWeek": days,
                "recurrenceRangeStartDate": "2024-01-01T00:00:00.0000000Z",
                "subject": subject,
            })
        };
        let every_day = appointment("Night", "22:00:00", "08:00:00", 127, "2024-01-02T06:00:00.0000000Z");
        let workdays =
            appointment("Office hours", "08:00:00", "10:00:00", 62, "2024-01-01T18:00:00.0000000Z");
        let maintenance = json!({
            "startDateTime": "2024-06-03T06:00:00.0000000Z",
            "originalStartDateTime": "2024-06-03T06:00:00.0000000Z",
            "endDateTime": "2024-06-03T10:00:00.0000000Z",
            "subject": "Maintenance",
        });
        let night = self.make(
            "timeProfiles",
            0,
            json!({ "name": "Night", "timeProfileAppointmentRecur": [every_day] }),
        );
        self.make(
            "timeProfiles",
            1,
            json!({
                "name": "Office hours",
                "timeProfileAppointmentRecur": [workdays],
                "timeProfileAppointmentRoot": [maintenance],
            }),
        );
        self.make(
            "timeProfiles",
            2,
            json!({
                "name": "Daylight",
                "timeProfileType": "Sunclock",
                "sunclockGPSCoordinate": "POINT (12.377 55.658)",
                "sunclockSunRise": -30,
                "sunclockSunSet": 30,
                "sunclockTimeZone": "W. Europe Standard Time",
            }),
        );
        night
    }

    fn rules(&mut self, night: Option<&str>) {
        let all = format!("CameraGroup[{}]", ids::ALL_CAMERAS);
        let external = format!("External[{}]", ids::EXTERNAL_EVENTS);
        let feed = json!({ "name": "Default Start Feed Rule", "startActions": "StartFeed", "start.startFeed.deviceIds": all });
        self.rule(0, feed, None);
        let record = json!({
            "name": "Default Record on Motion Rule",
            "startActions": "StartRecording",
            "start.startRecording.delay": "-3",
            "start.startRecording.deviceIds": format!("Camera[{NOBODY}]"),
            "stopRuleType": "Event",
            "stopEventGroup": "DevicePredefined",
            "stopEventType": MOTION_STOPPED,
            "stopEventSources": all,
            "stopActions": "StopRecording",
            "stop.stopRecording.delay": "3",
        });
        self.rule(1, record, Some(("DevicePredefined", MOTION_STARTED, &all)));
        if let (Some(camera), Some(night)) = (self.camera_id(12), night) {
            let bookmark = json!({
                "name": "Bookmark at night",
                "startActions": "SetBookmark",
                "start.setBookmark.deviceIds": format!("Camera[{camera}]"),
                "always": false,
                "withinTimeProfile": true,
                "withinTimeProfile.timeProfile": format!("TimeProfile[{night}]"),
            });
            let source = format!("Camera[{camera}]");
            self.rule(2, bookmark, Some(("DevicePredefined", MOTION_STARTED, &source)));
        }
        if let Some(event) = self.present("userDefinedEvents", FIRE_DRILL) {
            let log = json!({
                "name": "Log fire drills",
                "startActions": "CreateLogEntry",
                "start.createLogEntry.text": "Fire drill",
            });
            self.rule(3, log, Some(("External", &event, &external)));
        }
        if self.present("genericEvents", 0).is_some() {
            let record = json!({
                "name": "Record at the barrier",
                "startActions": "StartRecording;CreateLogEntry",
                "start.startRecording.deviceIds": all,
                "start.createLogEntry.text": "Barrier",
            });
            // Rules know a generic event by its hidden event (sheet 3.6).
            let shadow = self.shadow(0);
            self.rule(4, record, Some(("GenericEvents", &shadow, &external)));
        }
    }

    fn rule(&mut self, index: usize, fields: Value, start: Option<(&str, &str, &str)>) {
        let mut rule = match start {
            Some((group, kind, sources)) => json!({
                "startRuleType": "Event",
                "startEventGroup": group,
                "startEventType": kind,
                "startEventSources": sources,
            }),
            None => json!({ "startRuleType": "TimeInterval" }),
        };
        extend(&mut rule, fields);
        self.make("rules", index, rule);
    }

    /// The first of all is in [`alarms`](Self::alarms).
    fn alarm_definitions(&mut self, night: Option<&str>) {
        let device = json!({ "eventTypeGroup": ids::DEVICE_PREDEFINED });
        if let Some(camera) = self.camera_id(12) {
            let camera = json!([{ "type": "cameras", "id": camera }]);
            let profile = night.map(|id| json!({ "type": "timeProfiles", "id": id }));
            let motion = json!({
                "name": "Motion at night",
                "eventType": MOTION_STARTED,
                "sourceList": camera,
                "relatedCameraList": camera,
                "enableRule": if profile.is_some() { "1" } else { "0" },
                "timeProfile": profile,
            });
            self.alarm_definition(1, &device, motion);
        }
        let external = json!({ "eventTypeGroup": ids::EXTERNAL_EVENTS });
        let switches = (self.present("userDefinedEvents", FIRE_DRILL), self.camera_id(17));
        if let (Some(event), (Some(drill), Some(camera))) =
            (self.present("userDefinedEvents", ESCORT_NEEDED), switches)
        {
            let escort = json!({
                "name": "Escort needed",
                "eventType": event,
                "sourceList": [{ "type": "userDefinedEvents", "id": event }],
                "relatedCameraList": [{ "type": "cameras", "id": camera }],
                "enableRule": "2",
                "enableEventList": [{ "type": "userDefinedEvents", "id": event }],
                "disableEventList": [{ "type": "userDefinedEvents", "id": drill }],
            });
            self.alarm_definition(2, &external, escort);
        }
        if self.present("genericEvents", 1).is_some() {
            let shadow = self.shadow(1);
            let heat = json!({
                "name": "Temperature",
                "eventType": shadow,
                "sourceList": [{ "type": "userDefinedEvents", "id": shadow }],
            });
            self.alarm_definition(3, &external, heat);
        }
        if let Some(event) = self.present("analyticsEvents", LOITERING) {
            let analytics = json!({ "eventTypeGroup": ids::analytics_group() });
            let loitering = json!({
                "name": "Loitering",
                "eventType": event,
                "sourceList": [{ "type": "cameraFolder", "id": NOBODY }],
            });
            self.alarm_definition(4, &analytics, loitering);
        }
    }

    fn alarm_definition(&mut self, index: usize, group: &Value, fields: Value) {
        let nth = |seed: &Self, kind: &str| {
            let settings: Vec<String> = seed.store.all(kind).map(|object| object.id.clone()).collect();
            settings.get(index % settings.len().max(1)).cloned().unwrap_or_default()
        };
        let mut definition = group.clone();
        let settings = json!({
            "priority": nth(self, "alarmPriorities"),
            "category": nth(self, "alarmCategories"),
            "owner": "",
        });
        extend(&mut definition, settings);
        extend(&mut definition, fields);
        self.make("alarmDefinitions", index, definition);
    }

    /// The id of a seeded object, if divergence left it here.
    fn present(&self, kind: &str, index: usize) -> Option<String> {
        self.store.get(kind, &self.ids.of(kind, index)).map(|object| object.id.clone())
    }
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>());
    }
}
