//! Who a request belongs to, and which instance that binds it to (design D10).

pub mod census;
pub mod client;
pub mod cookie;
pub mod flow;
pub mod form;
mod generations;
pub mod grant;
pub mod in_band;
pub mod issued;
pub mod login;
pub mod made;
pub mod ntlm;
pub mod refused;
pub mod reply;
pub mod table;
pub mod throttle;
pub mod token;
pub mod validate;
pub mod verdicts;
