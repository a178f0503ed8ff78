//! Events, and what happens when they occur.

use super::super::Policy;
use super::{ASK, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "userDefinedEvents",
        fields: "~createdDate=dt ~id=g ~lastModified=dt name=s *subtype?=s",
        ..Row::PLAIN
    },
    Row {
        name: "timeProfiles",
        fields: "description=s ~id=g ~lastModified=dt name=s sunclockGPSCoordinate=s sunclockSunRise=i sunclockSunSet=i \
                 sunclockTimeZone=s +timeProfileType={Sunclock|Calendar} timeProfileAppointmentRecur=(o) \
                 timeProfileAppointmentRoot=(o)",
        ..Row::PLAIN
    },
    Row {
        name: "alarmDefinitions",
        lists_disabled: true,
        fields: "assignableToAdmins=b *autoClose=b category=#alarmCategories description=s \
                 disableEventList=(>userDefinedEvents) enabled=b enableEventList=(>userDefinedEvents) \
                 enableRule={0|1|2} eventType=#eventTypes eventTypeGroup=#eventTypeGroups ~id=g ~lastModified=dt \
                 managementTimeoutEventList=(>userDefinedEvents) managementTimeoutTime=s mapType={0|1|2} name=s owner=s \
                 priority=#alarmPriorities relatedCameraList=(>cameras) relatedMap=g sourceList=(>any) \
                 timeProfile?=>timeProfiles triggerEventlist=(>userDefinedEvents)",
        default: [Policy::Auto, Policy::Approve, Policy::Approve],
        ..Row::PLAIN
    },
    Row {
        name: "rules",
        lists_disabled: true,
        privileged: true,
        open: true,
        fields: "always=b daysOfWeek=b description=s enabled=b failoverActive=b failoverInactive=b ~id=g name=s \
                 outsideTimeProfile=b startActions=s startRuleType={TimeInterval|Event|RecurringTime} stopActions=s \
                 stopRuleType={TimeInterval|Event|Timer|None} timeOfDayBetween=b withinTimeProfile=b",
        default: ASK,
        ..Row::PLAIN
    },
];
