//! HTTP towards the client: connections and their time limits, what is refused at the edge, headers
//! that stop here, and the answers that we give ourselves.

pub mod body;
pub mod connection;
pub mod forwarded;
pub mod guard;
pub mod hop;
pub mod pace;
pub mod respond;
pub mod serve;
pub mod translated;
pub mod unanswered;
pub mod upgrade;
