//! The simulator as a program. Everything is in the library, so that the demo can be an instance too.

use std::process::ExitCode;

fn main() -> ExitCode {
    xprotect_sim::cli::run_from(std::env::args_os())
}
