//! Graceful shutdown: SIGINT, SIGTERM, SIGHUP or the end of standard input ask for a stop.

#[cfg(target_os = "linux")]
use std::fs;
use std::io::{self, Read};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::StackError;
#[cfg(target_os = "linux")]
use crate::proc_lines;
use crate::threads;

/// The number that shells add to that of the signal which ended a program.
const EXIT_BY_SIGNAL: i32 = 128;

/// Calls `stop` at the first signal; later ones change nothing. The signals are caught when this returns.
///
/// # Errors
/// When the system refuses the handlers or a thread.
pub fn on_signal(stop: impl FnOnce() + Send + 'static) -> Result<(), StackError> {
    watch(stop, |_| {})
}

/// Calls `stop` at the first signal; a second one of a person ends the process at once, with the status that a
/// shell would report. A closed terminal sends two hangups, its shell's and its own: they are one wish. The signals are caught
/// when this returns.
///
/// # Errors
/// When the system refuses the handlers or a thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the second signal ends the process at once, whatever main waits for"
)]
pub fn on_signal_then_exit(stop: impl FnOnce() + Send + 'static) -> Result<(), StackError> {
    watch(stop, |signal| {
        if signal != SIGHUP {
            std::process::exit(EXIT_BY_SIGNAL + signal)
        }
    })
}

/// Calls `stop` at the first signal, and `again` with the number of each later one.
fn watch(
    stop: impl FnOnce() + Send + 'static,
    again: impl Fn(i32) + Send + 'static,
) -> Result<(), StackError> {
    // Under nohup a closed terminal must change nothing; a handler would undo that.
    let caught: &[i32] = match hangup_is_ignored() {
        true => &[SIGINT, SIGTERM],
        false => &[SIGINT, SIGTERM, SIGHUP],
    };
    let mut signals = Signals::new(caught).map_err(StackError::NoSignals)?;
    threads::detach("signals", move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stop();
        }
        signals.for_each(again);
    })
    .map_err(StackError::NoThread)
}

/// Calls `stop` when standard input ends, as it does when the program that started this one is gone.
///
/// # Errors
/// When the system refuses a thread.
pub fn on_input_end(stop: impl FnOnce() + Send + 'static) -> Result<(), StackError> {
    threads::detach("stdin", move || {
        let mut buffer = [0; 256];
        while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
        stop();
    })
    .map_err(StackError::NoThread)
}

/// Whether the program that started this one asked for SIGHUP to be ignored.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// Bit n - 1 of `SigIgn`, a mask in hexadecimal, stands for signal n.
#[cfg(target_os = "linux")]
fn ignores_hangup(status: &str) -> bool {
    proc_lines::value(status, "SigIgn")
        .and_then(|mask| u64::from_str_radix(mask, 16).ok())
        .is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// Systems without `/proc` keep this to themselves.
#[cfg(not(target_os = "linux"))]
fn hangup_is_ignored() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_the_status_says_whether_nohup_started_it() {
        let status = |mask| format!("Name:\tstack\nSigIgn:\t{mask}\n");
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup("Name:\tstack\n"));
    }
}
