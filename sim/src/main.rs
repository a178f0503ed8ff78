//! The simulator as a program. Everything is in the library, so that the demo can be an instance too.

use std::process::ExitCode;

/// A list of thousands of objects is a million small pieces, which the system's allocator gives back slowly.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    xprotect_sim::cli::run_from(std::env::args_os())
}
