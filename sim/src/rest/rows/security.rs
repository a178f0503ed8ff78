//! Who may do what: roles, users, namespaces.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "roles",
        display: "Roles",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "allowMobileClientLogOn:b=true allowSmartClientLogOn:b=true allowWebClientLogOn:b=true description:s \
                 dualAuthorizationRequired:b id*:g lastModified*:dt makeUsersAnonymousDuringPTZSession:b name!:s \
                 roleType*:{UserDefined|Adminstrative}",
        subs: "~users=GP[AddRoleMember,RemoveRoleMember]/G claims=G",
        tasks: "SetClientTimeProfile GetClientTimeProfile SetClientProfile ChangeOverallSecurityPermissions",
        collection_tasks: "CopyRole QueryUsersWithAccess QueryIsPermittedTimeBasedAction",
        ..Row::PLAIN
    },
    Row {
        name: "users",
        display: "Users",
        parent: "roles",
        collection: "",
        item: "",
        fields: "accountName*:s description:s domain*:s \
                 identityType*:{BasicUser|InvalidIdentity|UnknownIdentityType|WindowsUser|WindowsGroup|Role} \
                 id*:g memberOf*:s memberOfRoles*:s members*:s sid*:s",
        ..Row::PLAIN
    },
    Row {
        name: "basicUsers",
        display: "Basic users",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "canChangePassword:b=true createdDate*:dt description:s forcePasswordChange:b id*:g isExternal*:b \
                 lastModified*:dt lockoutEnd*:dt name*!:s password!:pw sid*:s \
                 status:{Enabled|LockedOutByAdmin|LockedOutBySystem}",
        subs: "claims=G",
        tasks: "ChangePasswordBasicUser",
        ..Row::PLAIN
    },
    Row {
        name: "claims",
        display: "Claims",
        parent: "roles basicUsers",
        collection: "",
        item: "",
        fields: "claimName*:s claimProvider*:s claimValue*:s",
        ..Row::PLAIN
    },
    Row {
        name: "securityNamespaces",
        display: "Security namespaces",
        collection: "GP",
        flags: "since-24.2 unique",
        fields: "name*!:s id*:g userDefined*:b structure*+:i resourceTypes*+:s securityActions*+:[o]",
        ..Row::PLAIN
    },
    Row {
        name: "loginProviders",
        display: "Login providers",
        collection: "GP",
        item: "GUAD",
        flags: "disabled unique",
        fields: "authority!:s callbackPath:s=/signin-oidc clientId:s clientSecret:sec clientSecretHasValue*:b \
                 enabled:b=true id*:g name!:s promptForLogin:b scopes:[s] userNameClaimType:s",
        subs: "registeredClaims=GP/GD",
        ..Row::PLAIN
    },
    Row {
        name: "registeredClaims",
        display: "Registered claims",
        parent: "loginProviders",
        collection: "",
        item: "",
        fields: "caseSensitive*+:b id*:i name!:s",
        ..Row::PLAIN
    },
];
