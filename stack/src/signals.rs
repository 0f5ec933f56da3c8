//! Graceful shutdown: SIGINT, SIGTERM, SIGHUP or the end of standard input ask for a stop.

use std::io::{self, Read};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What shells add to the number of the signal that ended a program.
const EXIT_BY_SIGNAL: i32 = 128;

/// Calls `stop` at the first signal; later ones change nothing. The signals are caught when this returns.
///
/// # Errors
/// When the system refuses the handlers or a thread.
pub fn on_signal(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    watch(stop, |_| {})
}

/// Calls `stop` at the first signal; the second one ends the process at once, with the status that a
/// shell would report. The signals are caught when this returns.
///
/// # Errors
/// When the system refuses the handlers or a thread.
pub fn on_signal_then_exit(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    watch(stop, |signal| std::process::exit(EXIT_BY_SIGNAL + signal))
}

/// Calls `stop` at the first signal, and `again` with the number of each later one.
fn watch(
    stop: impl FnOnce() + Send + 'static,
    again: impl Fn(i32) + Send + 'static,
) -> io::Result<()> {
    // Under nohup a closed terminal must change nothing; a handler would undo that.
    let caught: &[i32] = match hangup_is_ignored() {
        true => &[SIGINT, SIGTERM],
        false => &[SIGINT, SIGTERM, SIGHUP],
    };
    let mut signals = Signals::new(caught)?;
    named("signals", move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stop();
        }
        signals.for_each(again);
    })
}

/// Calls `stop` when standard input ends, as it does when the program that started this one is gone.
///
/// # Errors
/// When the system refuses a thread.
pub fn on_input_end(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    named("stdin", move || {
        let mut buffer = [0; 256];
        while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
        stop();
    })
}

fn named(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(())
}

/// Whether the program that started this one asked for SIGHUP to be ignored.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    let status = procfs::process::Process::myself().and_then(|itself| itself.status());
    status.is_ok_and(|status| status.sigign & (1 << (SIGHUP - 1)) != 0)
}

/// Only Linux tells.
#[cfg(not(target_os = "linux"))]
fn hangup_is_ignored() -> bool {
    false
}
