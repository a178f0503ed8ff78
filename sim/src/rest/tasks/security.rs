//! Tasks on rights.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows. The parameters after the first are the actions of [`crate::rights`].
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ChangeSecurityPermissions",
        display: "Change security permissions",
        parameters: "userPath!:@roles GENERIC_READ:b GENERIC_WRITE:b VIEW_LIVE:b PLAYBACK:b EXPORT:b PTZ_CONTROL:b \
                     DELETE:b ADMIN_SECURITY:b",
        needs: Needs::Security,
        changes: true,
        run: Run::Now(effects::security::on_object),
    },
    TaskRow {
        id: "ChangeOverallSecurityPermissions",
        display: "Change overall security permissions",
        parameters: "securityNamespace!:g GENERIC_READ:{None|Allow|Deny} GENERIC_WRITE:{None|Allow|Deny} \
                     VIEW_LIVE:{None|Allow|Deny} PLAYBACK:{None|Allow|Deny} EXPORT:{None|Allow|Deny} \
                     PTZ_CONTROL:{None|Allow|Deny} DELETE:{None|Allow|Deny} ADMIN_SECURITY:{None|Allow|Deny}",
        needs: Needs::Security,
        changes: true,
        run: Run::Now(effects::security::overall),
    },
];

#[cfg(test)]
mod tests {
    use super::TASKS;
    use crate::rights;

    #[test]
    fn every_action_is_a_parameter() {
        for task in TASKS {
            let names = task.parameters().iter().skip(1).map(|field| field.name);
            assert!(names.eq(rights::action_names()), "{}", task.id);
        }
    }
}
