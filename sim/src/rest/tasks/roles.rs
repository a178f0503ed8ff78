//! Tasks on roles.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "QueryUsersWithAccess",
        display: "Users with access",
        parameters: "queryUsersWithAccessPath!:@any includeAdministrators:b includeGroups:b expandGroups:b",
        needs: Needs::Write,
        changes: false,
        run: Run::Now(effects::roles::users_with_access),
    },
    TaskRow {
        id: "QueryIsPermittedTimeBasedAction",
        display: "Is an action permitted now",
        parameters: "actionId!:s relatedObjectPath!:@any",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::roles::is_permitted),
    },
    TaskRow {
        id: "SetClientTimeProfile",
        display: "Set time profile of clients",
        parameters: "itemSelection!:@timeProfiles",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::roles::set_time_profile),
    },
    TaskRow {
        id: "GetClientTimeProfile",
        display: "Get time profile of clients",
        parameters: "",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::roles::time_profile),
    },
    TaskRow {
        id: "SetClientProfile",
        display: "Set Smart Client profile",
        parameters: "itemSelection!:@clientProfiles",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::roles::set_client_profile),
    },
];
