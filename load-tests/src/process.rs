//! The process of a measuring program: exit codes, an orderly end on Ctrl-C, descriptors.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::exit::Exit;
use crate::output::print_error;

/// The status that shells report for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A flag that becomes true at the first Ctrl-C or SIGTERM, so that the run ends in order, with a result.
/// The second signal ends the program at once.
///
/// # Errors
/// When there is no event loop to wait for signals in.
pub fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    });
    Ok(stop)
}

/// As many descriptors as this process may have; each connection is one.
pub fn raise_descriptor_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With fewer the run says so itself when they run out.
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
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
