//! Tasks on hardware.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ReadPasswordHardware",
        display: "Read hardware password",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::hardware::read_password),
    },
    TaskRow {
        id: "ChangePasswordHardware",
        display: "Change hardware password",
        parameters: "password!:pw",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::hardware::change_password),
    },
    TaskRow {
        id: "MoveHardware",
        display: "Move hardware",
        parameters: "destinationRecordingServer!:@recordingServers",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::hardware::move_hardware),
    },
    TaskRow {
        id: "AddHardware",
        display: "Add hardware",
        parameters: "hardwareAddress!:s hardwareDriverPath!:@hardwareDrivers userName!:s password!:pw customData:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::hardware::add),
    },
    TaskRow {
        id: "ReplaceHardware",
        display: "Replace hardware",
        parameters: "hardwareAddress!:s hardwareDriverPath!:@hardwareDrivers userName!:s password!:pw customData:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::hardware::replace),
    },
    TaskRow {
        id: "UpdateFirmwareHardware",
        display: "Update firmware",
        parameters: "transferId!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::hardware::update_firmware),
    },
];
