//! Who a request comes from.

use ::http::{Response, StatusCode};
use bytes::Bytes;

use crate::{
    http::rest_error,
    world::{World, grants::RoleSet},
};

/// The caller that a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// User name, or the client's id for a service token.
    pub user: String,
    /// The user's SID in this VMS (upper-case GUID for basic users, sheet 2.5).
    pub sid: String,
    /// What it may do.
    pub role: Role,
    /// When its token ends, in seconds of Unix time.
    pub expires: i64,
}

impl Caller {
    /// What it may do now: who holds a connection open may have lost rights since its token was checked.
    pub fn role_now(&self, world: &World) -> Role {
        // A service has no user behind it that could change.
        if self.role == Role::Service { Role::Service } else { world.role_of(&self.sid) }
    }
}

/// What a caller may do (design, D18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sees and writes everything.
    Administrators,
    /// Sees everything.
    Operators,
    /// Sees the first half of the cameras and what hangs on them.
    Guards,
    /// A registered service's token: sees everything.
    Service,
    /// A user in roles whose rights a task has changed.
    Granted(RoleSet),
    /// A user without any of the roles above: sees nothing.
    Nobody,
}

/// Why a token was refused (sheet 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No bearer token at all.
    #[error("Token validation failed: no token was supplied.")]
    Missing,
    /// It was good once.
    #[error("Token validation failed: the token is expired.")]
    Expired,
    /// Not ours, or not a token.
    #[error("Token validation failed: the token is invalid.")]
    Invalid,
}

impl AuthError {
    /// The 401 of the gateway.
    pub fn response(&self) -> Response<Bytes> {
        rest_error(StatusCode::UNAUTHORIZED, &self.to_string(), None, None)
    }
}
