//! Tasks on recorders, storages, hardware and devices.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "GetDevicesUsingStorage",
        display: "Get devices using storage",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::devices::using_storage),
    },
    TaskRow {
        id: "SetStorageAsDefault",
        display: "Set storage as default",
        parameters: "",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::devices::set_default_storage),
    },
    TaskRow {
        id: "ReadPasswordHardware",
        display: "Read hardware password",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::devices::read_password),
    },
    TaskRow {
        id: "ChangePasswordHardware",
        display: "Change hardware password",
        parameters: "password!:pw",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::devices::change_password),
    },
    TaskRow {
        id: "MoveHardware",
        display: "Move hardware",
        parameters: "destinationRecordingServer!:@recordingServers",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::devices::move_hardware),
    },
    TaskRow {
        id: "AddHardware",
        display: "Add hardware",
        parameters: "hardwareAddress!:s hardwareDriverPath!:@hardwareDrivers userName!:s password!:pw customData:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::devices::add_hardware),
    },
    TaskRow {
        id: "ChangeDeviceRecordingStorage",
        display: "Change recording storage",
        parameters: "itemSelection!:@storages moveData!:b",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::devices::change_storage),
    },
    TaskRow {
        id: "GetSequences",
        display: "Get sequences",
        parameters: "sequenceType!:{RecordingSequence|MotionSequence|RecordingWithTriggerSequence} time!:dt \
                     timeBefore!:s timeAfter!:s maxCountBefore!:i maxCountAfter!:i",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::sequences::get),
    },
];
