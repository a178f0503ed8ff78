//! Who may do what.

use super::super::{Coverage, How, Key, MemberForm, Members};
use super::{ASK, NEVER, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "securityNamespaces",
        privileged: true,
        fields: "name=s ~id=g userDefined=b structure=i resourceTypes=s securityActions=[o-displayName]",
        coverage: Coverage::CompareOnly,
        create: How::No,
        update: How::No,
        delete: How::No,
        default: NEVER,
        note: "comes with the product and its plug-ins",
        ..Row::PLAIN
    },
    Row {
        name: "loginProviders",
        lists_disabled: true,
        keys: &[Key::Fields(&["authority", "clientId"]), Key::Name],
        privileged: true,
        members: &[Members { list: "registeredClaims", form: MemberForm::Name, change: How::Rest }],
        fields: "authority=s callbackPath=s clientId=s !clientSecret?=s *clientSecretHasValue=b enabled=b \
                 ~id=g name=s promptForLogin=b scopes=(s) userNameClaimType=s",
        default: ASK,
        note: "the secret is not readable: creating needs a person",
        ..Row::PLAIN
    },
    Row {
        name: "basicUsers",
        privileged: true,
        fields: "canChangePassword=b ~createdDate=dt description=s ~forcePasswordChange=b ~id=g *isExternal=b \
                 ~lastModified=dt *lockoutEnd?=dt +name=s ~sid=s \
                 status={Enabled|LockedOutByAdmin|LockedOutBySystem} !password?=s",
        default: ASK,
        note: "the password is not readable: creating needs a person; a forced change of the password is not \
               carried over",
        ..Row::PLAIN
    },
    Row {
        name: "roles",
        privileged: true,
        members: &[
            Members { list: "users", form: MemberForm::Account, change: How::Task("AddRoleMember") },
            Members { list: "claims", form: MemberForm::Claim, change: How::No },
        ],
        fields: "allowMobileClientLogOn=b allowSmartClientLogOn=b allowWebClientLogOn=b description=s \
                 dualAuthorizationRequired=b ~id=g ~lastModified=dt makeUsersAnonymousDuringPTZSession=b \
                 name=s +roleType={Adminstrative|UserDefined}",
        coverage: Coverage::ByTask,
        default: ASK,
        note: "members move by tasks, claims are compared and set by hand; what a role may do, its client profile \
               and its time profile are set by hand on both sides",
        ..Row::PLAIN
    },
];
