//! One simulated XProtect VMS instance.
