//! Who a request belongs to, and which instance that binds it to (design D10).

pub mod client;
pub mod cookie;
pub mod form;
pub mod grant;
pub mod issued;
pub mod ntlm;
pub mod throttle;
pub mod token;
pub mod validate;
pub mod verdicts;
