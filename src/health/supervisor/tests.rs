//! Failover as a whole: simulated without time or I/O, then with real sockets.

mod fake;
mod simulation;
mod sockets;
mod told;
