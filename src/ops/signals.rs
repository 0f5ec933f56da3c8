//! What asks the program to stop: SIGINT, SIGTERM, SIGHUP, or the end of standard input.

use std::io::{self, Read};
use std::sync::mpsc::SyncSender;
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The program shall stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop;

/// Sends [`Stop`] at the first of these signals; a second one ends the process at once. Must be
/// called within a tokio runtime.
///
/// # Errors
/// When the system refuses the handlers.
pub fn watch(stop: SyncSender<Stop>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Under nohup a closed terminal must change nothing; a handler would undo that.
    let mut hangup = match hangup_is_ignored() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                // The terminal was closed.
                () = hung_up(hangup.as_mut()) => 129,
            }
        };
        next().await;
        // One waiting message is enough.
        let _ = stop.try_send(Stop);
        std::process::exit(next().await);
    });
    Ok(())
}

/// Sends [`Stop`] when standard input ends, as it does when the program that started us is gone.
///
/// # Errors
/// When the system refuses a thread.
pub fn watch_input(stop: SyncSender<Stop>) -> io::Result<()> {
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut buffer = [0; 256];
            while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
            let _ = stop.try_send(Stop);
        })?;
    Ok(())
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the program that started us asked for SIGHUP to be ignored; Linux tells, elsewhere the
/// answer is no.
fn hangup_is_ignored() -> bool {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
