//! Embedded objects of time profiles, views and client profiles. Of the settings of a client profile only some of each
//! kind are listed: clients copy them as opaque maps, so the rest are kept as they come.

use crate::rest::shape::ShapeRow;

/// What the parts of a client profile share.
const PROFILE: ShapeRow = ShapeRow { name: "", fields: "", open: true };

/// Their rows.
pub static SHAPES: &[ShapeRow] = &[
    ShapeRow {
        name: "timeProfileAppointmentRoot",
        fields: "allDayEvent:b endDateTime:dt originalStartDateTime*:dt startDateTime:dt subject:s",
        open: false,
    },
    ShapeRow {
        name: "timeProfileAppointmentRecur",
        fields: "allDayEvent*:b appointmentRootId*:s endDateTime*:dt recurrenceDescription*:s \
                 recurrenceOccurrenceDuration:s recurrenceOccurrenceStartTime:s recurrencePatternDayOfMonth:i \
                 recurrencePatternDaysOfWeek:i recurrencePatternFrequency:{Daily|Weekly|Monthly|Yearly} \
                 recurrencePatternInterval:i=1 recurrencePatternMonthOfYear:i \
                 recurrencePatternOccurrenceOfDayInMonth:{None|First|Second|Third|Fourth|Last} \
                 recurrencePatternType:{Explicit|Calculated} recurrenceRangeEndDate:dt \
                 recurrenceRangeLimit:{NoLimit|LimitByNumberOfOccurrences|LimitByDate} \
                 recurrenceRangeMaxOccurrences:i recurrenceRangeStartDate:dt startDateTime*:dt subject:s",
        open: false,
    },
    // The server adds `id`, from 2025 R2 on (sheet 9).
    ShapeRow { name: "viewItem", fields: "viewItemDefinitionXml:s viewItemPosition*:i", open: false },
    ShapeRow {
        name: "clientProfileAccessControl",
        fields: "showAccessRequestNotifications:{Yes|No} showAccessRequestNotificationsLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileAdvanced",
        fields: "advancedAdaptiveStreaming:{Disabled|Enabled} advancedAdaptiveStreamingLocked:b \
                 advancedMulticast:{Enabled|Disabled} advancedMulticastLocked:b \
                 advancedTimeZone:{LocalMachine|MasterServer|UTC|Custom} advancedTimeZoneLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileAlarmManager",
        fields: "alarmManagerPlaySoundNotifications:{No|Yes} alarmManagerPlaySoundNotificationsLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileExport",
        fields: "exportDestinationType:{Both|ToDisk|ToMediaBurner} exportDestinationTypeLocked:b \
                 exportMergeFormat:{MP4|MKV} exportMergeFormatLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileGeneral",
        fields: "alarmManagerTab:{Available|Unavailable} applicationAutoLogin:{Available|Unavailable} \
                 applicationExitButton:{Available|Unavailable} applicationInactivityTimeout:i",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileGisMap",
        fields: "gisMapCreateLayerLocation:{No|Yes} gisMapCreateLayerLocationLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileLive",
        fields: "functionsLiveBookmarkMode:{Quick|Detail|Unavailable} functionsLiveBookmarkModeLocked:b \
                 functionsLiveBoundingBoxes:{Available|Unavailable} functionsLiveBoundingBoxesLocked:b",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfilePlayback",
        fields: "functionsPlaybackBookmarkMode:{Detail|Quick|Unavailable} functionsPlaybackBookmarkModeLocked:b \
                 functionsPlaybackIndependentPlayback:{Available|Unavailable}",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileSetup",
        fields: "functionsSetupOverlayButtons:{Available|Unavailable} functionsSetupOverlayButtonsLocked:b \
                 mapEditMaps:{Available|Unavailable}",
        ..PROFILE
    },
    ShapeRow {
        name: "clientProfileTimeline",
        fields: "timelineAllCamerasTimeline:{Show|Hide} timelineAllCamerasTimelineLocked:b \
                 timelineBookmarks:{Show|Hide} timelineBookmarksLocked:b",
        ..PROFILE
    },
    ShapeRow { name: "clientProfileViewLayouts", fields: "disabledViewLayouts:[>layouts]", open: false },
];
