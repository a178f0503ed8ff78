//! Who may do what.

use super::super::{MemberForm, Members};
use super::{ASK, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "basicUsers",
        privileged: true,
        fields: "canChangePassword=b ~createdDate=dt description=s forcePasswordChange=b ~id=g *isExternal=b \
                 ~lastModified=dt *lockoutEnd?=dt +name=s ~sid=s status={Enabled|LockedOutByAdmin|LockedOutBySystem} \
                 !password?=s",
        default: ASK,
        note: "the password is not readable: creating needs a person",
        ..Row::PLAIN
    },
    Row {
        name: "roles",
        privileged: true,
        members: &[
            Members { list: "users", form: MemberForm::Account },
            Members { list: "claims", form: MemberForm::Claim },
        ],
        fields: "allowMobileClientLogOn=b allowSmartClientLogOn=b allowWebClientLogOn=b description=s \
                 dualAuthorizationRequired=b ~id=g ~lastModified=dt makeUsersAnonymousDuringPTZSession=b name=s \
                 +roleType={Adminstrative|UserDefined}",
        default: ASK,
        ..Row::PLAIN
    },
];
