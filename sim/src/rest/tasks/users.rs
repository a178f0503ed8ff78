//! Tasks on users and roles.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ChangePasswordBasicUser",
        display: "Change password",
        parameters: "password!:pw",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::users::change_password),
    },
    TaskRow {
        id: "AddRoleMember",
        display: "Add role member",
        parameters: "sid!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::users::add_role_member),
    },
    TaskRow {
        id: "RemoveRoleMember",
        display: "Remove role member",
        parameters: "itemSelection!:@users",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::users::remove_role_member),
    },
    TaskRow {
        id: "CopyRole",
        display: "Copy role",
        parameters: "itemSelection!:@roles name!:s description:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::users::copy_role),
    },
];
