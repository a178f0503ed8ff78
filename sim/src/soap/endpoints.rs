//! Where the services are, and how a caller says who it is there.

use super::methods::{self, Method};

/// How a caller says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP Basic, basic users.
    BasicUser,
    /// HTTP Basic, Windows users: IIS knows nobody else.
    WindowsUser,
    /// A JWT of the Identity Provider.
    Bearer,
}

/// One address.
pub struct Endpoint {
    /// Its path.
    pub path: &'static str,
    /// How callers say who they are.
    pub scheme: Scheme,
    /// Name of the service.
    pub service: &'static str,
    /// Namespace of its operations.
    pub namespace: &'static str,
    /// What stands between namespace and operation in a SOAPAction.
    pub contract: &'static str,
    /// Its operations.
    pub methods: &'static [Method],
}

const COMMANDS: &str = "http://videoos.net/2/XProtectCSServerCommand";
const REGISTRATION: &str = "http://schemas.videoos/ServiceRegistrationService/2008/06/Vmo/01";
/// Namespace of what a list of services consists of, and of the older twin's operations.
pub const OLD_REGISTRATION: &str = "http://videoos.net/2/XProtectCSServiceRegistration";

/// All addresses (sheet 1.3 and 2.8).
static ENDPOINTS: [Endpoint; 5] = [
    Endpoint {
        path: "/ManagementServer/ServerCommandServiceOAuth.svc",
        scheme: Scheme::Bearer,
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "/IServerCommandService",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ManagementServer/ServerCommandService.svc",
        scheme: Scheme::BasicUser,
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "/IServerCommandService",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ServerAPI/ServerCommandService.asmx",
        scheme: Scheme::WindowsUser,
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ManagementServer/ServiceRegistrationService.svc",
        scheme: Scheme::BasicUser,
        service: "ServiceRegistrationService",
        namespace: REGISTRATION,
        contract: "/IServiceRegistrationService",
        methods: methods::REGISTRATION,
    },
    Endpoint {
        path: "/ServerAPI/ServiceRegistrationService.asmx",
        scheme: Scheme::WindowsUser,
        service: "ServiceRegistrationService",
        namespace: OLD_REGISTRATION,
        contract: "",
        methods: methods::REGISTRATION,
    },
];

/// The endpoint of a path, whatever its case.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ENDPOINTS.iter().find(|endpoint| endpoint.path.eq_ignore_ascii_case(path))
}

impl Endpoint {
    /// Whether it is one of the older twins.
    pub fn is_asmx(&self) -> bool {
        self.path.ends_with(".asmx")
    }
}
