//! Failover as a whole: simulated without time or I/O, then with real sockets.

mod simulation;
mod sockets;
