//! What alarms are described with: alarm data settings (sheet 5.2). The alarms themselves are no configuration.

use crate::rest::table::Row;

/// What all lists share.
const LIST: Row = Row { parent: "", item: "", flags: "plain since-23.2", ..Row::PLAIN };

/// Their rows.
pub static ROWS: &[Row] = &[
    Row { name: "alarmStates", display: "Alarm states", fields: "id*:g name*:s level*:i", ..LIST },
    Row { name: "alarmPriorities", display: "Alarm priorities", fields: "id*:g name*:s level*:i", ..LIST },
    Row { name: "alarmCategories", display: "Alarm categories", fields: "id*:g name*:s level*:i", ..LIST },
    Row { name: "alarmSounds", display: "Alarm sounds", fields: "id*:g name*:s", ..LIST },
    Row { name: "alarmMessages", display: "Alarm messages", fields: "id*:g name*:s", ..LIST },
    Row { name: "closeReasons", display: "Reasons for closing", fields: "id*:g name*:s", ..LIST },
    Row {
        name: "alarmSettings",
        display: "Alarm settings",
        fields: "id*:g closedAlarmRetentionDays*:i=1 otherAlarmRetentionDays*:i=30 reasonForClosingRequired*:b",
        ..LIST
    },
    // Nobody suppresses or disables alarms over REST [I], so these stay empty.
    Row { name: "alarmSuppressions", display: "Suppressed alarms", fields: "id*:g source*:s", ..LIST },
    Row { name: "alarmDisables", display: "Disabled alarms", fields: "id*:g source*:s", ..LIST },
];
