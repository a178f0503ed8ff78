//! What the site does when something happens: rules and alarm definitions, and what they use.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "rules",
        display: "Rules",
        collection: "GP",
        item: "GUAD",
        flags: "disabled open wizard",
        fields: "always:b=true daysOfWeek:b description:s enabled:b=true failoverActive:b failoverInactive:b id*:g \
                 name!:s outsideTimeProfile:b startActions:s startRuleType:{TimeInterval|Event|RecurringTime} \
                 stopActions:s stopRuleType:{None|TimeInterval|Event|Timer} timeOfDayBetween:b withinTimeProfile:b",
        ..Row::PLAIN
    },
    Row {
        name: "alarmDefinitions",
        display: "Alarm definitions",
        collection: "GP",
        item: "GUAD",
        flags: "disabled",
        fields: "assignableToAdmins:b autoClose*:b category:#alarmCategories description:s \
                 disableEventList:[>userDefinedEvents] enabled:b=true enableEventList:[>userDefinedEvents] \
                 enableRule:{0|1|2} eventType:g eventTypeGroup:#eventTypeGroups id*:g \
                 managementTimeoutEventList:[>userDefinedEvents] managementTimeoutTime:s=00:01:00 mapType:{0|1|2} \
                 name!:s owner:s priority:#alarmPriorities relatedCameraList:[>cameras] relatedMap:g \
                 sourceList:[>any] timeProfile:>timeProfiles triggerEventlist:[>userDefinedEvents]",
        ..Row::PLAIN
    },
    Row {
        name: "timeProfiles",
        display: "Time profiles",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "description:s id*:g lastModified*:dt name!:s sunclockGPSCoordinate:s sunclockSunRise:i \
                 sunclockSunSet:i sunclockTimeZone:s timeProfileType*+:{Calendar|Sunclock} \
                 timeProfileAppointmentRecur*:[<timeProfileAppointmentRecur>] \
                 timeProfileAppointmentRoot*:[<timeProfileAppointmentRoot>]",
        tasks: "AddAppointment AddRecurringAppointment",
        ..Row::PLAIN
    },
    Row {
        name: "audioMessages",
        display: "Audio messages",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "description:s id*:g lastModified*:dt name!:s originalFileName*+:s",
        tasks: "GetAudioMessageContent SetAudioMessageContent",
        ..Row::PLAIN
    },
    Row {
        name: "mailNotificationProfiles",
        display: "Mail notification profiles",
        collection: "GP",
        item: "GUAD",
        flags: "unique",
        fields: "description:s embedImages:b frameRate:i=5 id*:g includeAVI:b includeImages:b lastModified*:dt \
                 messageText:s name!:s numberOfImages:i=5 recipients:[s] subject:s timeAfterEvent:i=4 \
                 timeBeforeEvent:i=2 timeBetweenImages:i=500 timeBetweenMails:i",
        ..Row::PLAIN
    },
];
