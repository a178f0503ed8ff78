//! Tasks on recording servers and failover groups.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "GetOtherDevicesWithMediaOnRecorder",
        display: "Get other devices with media on recorder",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::media::other_devices),
    },
    TaskRow {
        id: "HardwareScan",
        display: "Scan hardware",
        parameters: "hardwareAddress!:s hardwareDriverIds:s userName:s password:pw useDefaultCredentials:b",
        needs: Needs::Write,
        changes: false,
        run: Run::Later(effects::recorders::scan),
    },
    TaskRow {
        id: "HardwareScanExpress",
        display: "Express scan for hardware",
        parameters: "useDefaultCredentials!:b hardwareDriverIds:s userName:s password:pw",
        needs: Needs::Write,
        changes: false,
        run: Run::Later(effects::recorders::scan_express),
    },
    TaskRow {
        id: "ReadDrivesOnRecorder",
        display: "Read drives",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::recorders::drives),
    },
    TaskRow {
        id: "ReadDirectoriesOnRecorder",
        display: "Read directories",
        parameters: "path!:s",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::recorders::directories),
    },
    TaskRow {
        id: "CreateDirectoryOnRecorder",
        display: "Create directory",
        parameters: "path!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::recorders::create_directory),
    },
    TaskRow {
        id: "MoveFailoverGroup",
        display: "Move failover server",
        parameters: "itemSelection!:@failoverRecorders destinationFailoverGroup!:@failoverGroups",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::recorders::move_failover),
    },
];
