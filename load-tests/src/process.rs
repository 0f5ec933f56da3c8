//! The process of a measuring program: exit codes, an orderly end on Ctrl-C, descriptors.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use warrior_stack::{descriptors, signals};

use crate::exit::Exit;
use crate::output::print_error;

/// A flag that becomes true at the first Ctrl-C, SIGTERM or SIGHUP, so that the run ends in order, with a result.
/// The second signal ends the program at once.
///
/// # Errors
/// When signals cannot be handled.
pub fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    signals::on_signal_then_exit(move || flag.store(true, Ordering::Relaxed))?;
    Ok(stop)
}

/// As many descriptors as this process may have; each connection is one. A run says itself when they run out.
pub fn raise_descriptor_limit() {
    let _ = descriptors::raise();
}

/// A whole program: its command line is parsed and executed, and what goes wrong is printed here, once,
/// with the exit code that it means.
pub fn run_program<C: Parser>(execute: impl FnOnce(C) -> anyhow::Result<Exit>) -> ExitCode {
    let cli = match C::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A terminal that refuses this text would refuse a complaint about it, too.
            error.print().ok();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Passed.into()
            };
        }
    };
    match execute(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            print_error(&error);
            Exit::of_error(&error).into()
        }
    }
}
