//! Tasks on the site, its owner and its licences.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ClientLogOnSupported",
        display: "May a client log on",
        parameters: "clientApplicationType!:s userName!:s",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::site::log_on_supported),
    },
    TaskRow {
        id: "UploadFileChunk",
        display: "Upload a part of a file",
        parameters: "transferId!:s offset!:i size!:i checksum:s chunkData!:s",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::site::upload),
    },
    TaskRow {
        id: "AddBasicOwnerInfo",
        display: "Add information",
        parameters: "tagType!:s tagValue!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::site::add_owner_info),
    },
    TaskRow {
        id: "RemoveBasicOwnerInfo",
        display: "Remove information",
        parameters: "itemSelection!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::site::remove_owner_info),
    },
    TaskRow {
        id: "ActivateLicense",
        display: "Activate license",
        parameters: "activationAutomatic!:b userName!:s password!:pw",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::licences::activate),
    },
    TaskRow {
        id: "StopAutomaticLicenseActivation",
        display: "Stop automatic activation",
        parameters: "",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::licences::stop_automatic),
    },
    TaskRow {
        id: "RequestLicense",
        display: "Request license",
        parameters: "",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::licences::request),
    },
    TaskRow {
        id: "ChangeLicense",
        display: "Change license",
        parameters: "license!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::licences::change),
    },
    TaskRow {
        id: "UpdateLicense",
        display: "Update license",
        parameters: "license!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Later(effects::licences::update),
    },
];
