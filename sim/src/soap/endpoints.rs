//! Where the services are, and how a caller says who it is there.

use super::{
    methods::{self, Method},
    recorder,
};

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
    /// How callers say who they are; none where the argument `token` says it, a SOAP token of the Management Server.
    pub scheme: Option<Scheme>,
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
const RECORDER: &str = "http://videoos.net/2/XProtectCSRecorderCommand";
const REGISTRATION: &str = "http://schemas.videoos/ServiceRegistrationService/2008/06/Vmo/01";
/// Namespace of what a list of services consists of, and of the older twin's operations.
pub const OLD_REGISTRATION: &str = "http://videoos.net/2/XProtectCSServiceRegistration";

/// All addresses (sheet 1.3, 2.8 and 6.3).
static ENDPOINTS: [Endpoint; 6] = [
    Endpoint {
        path: "/ManagementServer/ServerCommandServiceOAuth.svc",
        scheme: Some(Scheme::Bearer),
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "/IServerCommandService",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ManagementServer/ServerCommandService.svc",
        scheme: Some(Scheme::BasicUser),
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "/IServerCommandService",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ServerAPI/ServerCommandService.asmx",
        scheme: Some(Scheme::WindowsUser),
        service: "ServerCommandService",
        namespace: COMMANDS,
        contract: "",
        methods: methods::COMMANDS,
    },
    Endpoint {
        path: "/ManagementServer/ServiceRegistrationService.svc",
        scheme: Some(Scheme::BasicUser),
        service: "ServiceRegistrationService",
        namespace: REGISTRATION,
        contract: "/IServiceRegistrationService",
        methods: methods::REGISTRATION,
    },
    Endpoint {
        path: "/ServerAPI/ServiceRegistrationService.asmx",
        scheme: Some(Scheme::WindowsUser),
        service: "ServiceRegistrationService",
        namespace: OLD_REGISTRATION,
        contract: "",
        methods: methods::REGISTRATION,
    },
    Endpoint {
        path: "/RecorderCommandService/RecorderCommandService.asmx",
        scheme: None,
        service: "RecorderCommandService",
        namespace: RECORDER,
        contract: "",
        methods: recorder::COMMANDS,
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
