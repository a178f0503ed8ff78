//! Tasks of add-on products and plug-ins.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "GetInternalUnitPath",
        display: "Get path of a unit",
        parameters: "externalId!:s",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::plugins::unit_path),
    },
    TaskRow {
        id: "GetMIPOptionProperty",
        display: "Get an option",
        parameters: "optionId!:s userPrivate!:b",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::plugins::option),
    },
    TaskRow {
        id: "SetMIPOptionProperty",
        display: "Set an option",
        parameters: "optionId!:s userPrivate!:b xML!:s dataVersion:i",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::plugins::set_option),
    },
    TaskRow {
        id: "MethodIdGetCustomFieldsForRegistrationNumber",
        display: "Custom fields of a number",
        parameters: "registrationNumber!:s",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::plates::fields),
    },
    TaskRow {
        id: "MethodIdGetRegistrationNumbersInfo",
        display: "Get numbers",
        parameters: "",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::plates::list),
    },
    TaskRow {
        id: "MethodIdAddOrEditRegistrationNumbersInfo",
        display: "Add or change numbers",
        parameters: "registrationNumbers!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::plates::add),
    },
    TaskRow {
        id: "MethodIdDeleteRegistrationNumbers",
        display: "Delete numbers",
        parameters: "registrationNumbers!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::plates::delete),
    },
    TaskRow {
        id: "MethodIdDeleteAllRegistrationNumbers",
        display: "Delete all numbers",
        parameters: "",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::plates::delete_all),
    },
];
