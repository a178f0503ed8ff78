//! Tasks on time profiles and audio messages.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "AddAppointment",
        display: "Add appointment",
        parameters: "subject!:s startDateTime!:dt endDateTime!:dt allDayEvent:b",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::times::add),
    },
    TaskRow {
        id: "AddRecurringAppointment",
        display: "Add recurring appointment",
        parameters: "subject!:s recurrenceOccurrenceStartTime!:s recurrenceOccurrenceDuration!:s \
                     recurrencePatternFrequency!:{Daily|Weekly|Monthly|Yearly} recurrenceRangeStartDate!:dt \
                     recurrencePatternInterval:i recurrencePatternDaysOfWeek:i recurrencePatternDayOfMonth:i \
                     recurrencePatternMonthOfYear:i \
                     recurrencePatternOccurrenceOfDayInMonth:{None|First|Second|Third|Fourth|Last} \
                     recurrencePatternType:{Explicit|Calculated} \
                     recurrenceRangeLimit:{NoLimit|LimitByNumberOfOccurrences|LimitByDate} \
                     recurrenceRangeMaxOccurrences:i recurrenceRangeEndDate:dt",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::times::add_recurring),
    },
    TaskRow {
        id: "GetAudioMessageContent",
        display: "Get the recording",
        parameters: "",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::times::audio),
    },
    TaskRow {
        id: "SetAudioMessageContent",
        display: "Set the recording",
        parameters: "audioMessageContent!:s originalFileName:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::times::set_audio),
    },
];
