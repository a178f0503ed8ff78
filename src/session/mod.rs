//! Who a request belongs to, and which instance that binds it to (design D10).

pub mod cookie;
pub mod grant;
pub mod in_band;
pub mod issued;
pub mod ntlm;
pub mod token;
pub mod validate;
pub mod verdicts;
