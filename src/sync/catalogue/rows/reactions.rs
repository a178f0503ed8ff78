//! What happens when something occurs, and when.

use super::super::{Coverage, How, Policy};
use super::{ASK, NEVER, Row};

/// Lists that alarms are described with. Only the alarm API shows them (sheet 5.2).
const ALARM_DATA: Row = Row {
    open: true,
    fields: "~id=g *level?=i *name=s",
    coverage: Coverage::CompareOnly,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    note: "set by hand on both sides, with the same names; alarm definitions refer to it",
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "timeProfiles",
        fields: "description=s ~id=g ~lastModified=dt name=s sunclockGPSCoordinate=s sunclockSunRise=i \
                 sunclockSunSet=i sunclockTimeZone=s +timeProfileType={Sunclock|Calendar} \
                 +timeProfileAppointmentRecur=(o-appointmentRootId,recurrenceDescription) \
                 +timeProfileAppointmentRoot=(o)",
        coverage: Coverage::ByTask,
        create: How::Task("AddAppointment"),
        note: "appointments are added by tasks when it is made; afterwards they are compared, and changed by hand",
        ..Row::PLAIN
    },
    Row {
        name: "audioMessages",
        fields: "description=s ~id=g ~lastModified=dt name=s *originalFileName=s",
        coverage: Coverage::ByTask,
        confirmed: false,
        create: How::Task("SetAudioMessageContent"),
        default: [Policy::Approve, Policy::Auto, Policy::Approve],
        note: "the sound itself is not compared; it moves by tasks whose parameters are not public",
        ..Row::PLAIN
    },
    Row {
        name: "mailNotificationProfiles",
        fields: "description=s embedImages=b frameRate=i ~id=g includeAVI=b includeImages=b ~lastModified=dt \
                 messageText=s name=s numberOfImages=i recipients=(s) subject=s timeAfterEvent=i \
                 timeBeforeEvent=i timeBetweenImages=i timeBetweenMails=i",
        note: "the mail server is set by hand on both sides",
        ..Row::PLAIN
    },
    Row { name: "alarmPriorities", ..ALARM_DATA },
    Row { name: "alarmCategories", ..ALARM_DATA },
    Row {
        name: "alarmDefinitions",
        lists_disabled: true,
        fields: "assignableToAdmins=b *autoClose=b category=#alarmCategories description=s \
                 disableEventList=(>userDefinedEvents) enabled=b enableEventList=(>userDefinedEvents) \
                 enableRule={0|1|2} eventType=#any eventTypeGroup=#eventTypeGroups ~id=g \
                 managementTimeoutEventList=(>userDefinedEvents) managementTimeoutTime=s ~mapType={0|1|2} \
                 name=s owner=s priority=#alarmPriorities relatedCameraList=(>cameras) ~relatedMap=g \
                 sourceList=(>any) timeProfile?=>timeProfiles triggerEventlist=(>userDefinedEvents)",
        default: [Policy::Auto, Policy::Approve, Policy::Approve],
        note: "the related map is set by hand: maps are not visible",
        ..Row::PLAIN
    },
    Row {
        name: "rules",
        lists_disabled: true,
        privileged: true,
        open: true,
        fields: "always=b daysOfWeek=b description=s enabled=b failoverActive=b failoverInactive=b ~id=g \
                 name=s outsideTimeProfile=b startActions=s startRuleType={TimeInterval|Event|RecurringTime} \
                 stopActions=s stopRuleType={TimeInterval|Event|Timer|None} timeOfDayBetween=b \
                 withinTimeProfile=b",
        default: ASK,
        note: "most of a rule is members that no public source lists: copied whole, as the vendor's own sample does, \
               with the ids inside translated",
        ..Row::PLAIN
    },
];
