//! Places that a camera can turn to, and rounds through them.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "ptzPresets",
        display: "PTZ presets",
        parent: "cameras",
        collection: "",
        item: "GPUAD",
        fields: "defaultPreset*:b description:s devicePreset*:b devicePresetInternalId*:s id*:g locked:b name!:s \
                 pan:n tilt:n zoom:n",
        tasks: "Goto@24.2",
        ..Row::PLAIN
    },
    Row {
        name: "patrollingProfiles",
        display: "Patrolling profiles",
        parent: "cameras",
        collection: "",
        item: "GPUAD",
        fields: "customizeTransitions:b description:s endPresetId:#ptzPresets endSpeed:n=1 endTransitionTime:n=3 \
                 id*:g initSpeed:n=1 initTransitionTime:n=3 name!:s patrollingEntry:[<patrollingEntry>]",
        tasks: "AddPatrollingEntry RemovePatrollingEntry",
        ..Row::PLAIN
    },
];
