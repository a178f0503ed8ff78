//! Tasks on video walls.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ApplyCameras",
        display: "Show cameras",
        parameters: "beginPosition!:i cameraPaths!:[>cameras] cameraGroupPaths:[>cameraGroups]",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::cameras),
    },
    TaskRow {
        id: "ApplyCamerasAndLayout",
        display: "Show cameras in a layout",
        parameters: "beginPosition!:i cameraPaths!:[>cameras] layoutPath!:@layouts \
                     cameraGroupPaths:[>cameraGroups]",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::cameras),
    },
    TaskRow {
        id: "RemoveCameras",
        display: "Remove cameras",
        parameters: "cameraPaths!:[>cameras] cameraGroupPaths:[>cameraGroups]",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::remove_cameras),
    },
    TaskRow {
        id: "ApplyViewItemsXml",
        display: "Show items",
        parameters: "beginPosition!:i viewItemsXml!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::items),
    },
    TaskRow {
        id: "ApplyMonitorState",
        display: "Set the state",
        parameters: "monitorState!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::state),
    },
    TaskRow {
        id: "ApplyLayout",
        display: "Set the layout",
        parameters: "layoutPath!:@layouts",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::layout),
    },
    TaskRow {
        id: "ApplyTextAndLayout",
        display: "Show a text",
        parameters: "textMessage!:s layoutPath!:@layouts beginPosition!:i",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::walls::text),
    },
];
