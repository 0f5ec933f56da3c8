//! What asks the program to stop: SIGINT, SIGTERM, SIGHUP, or the end of standard input.

use std::io::{self, Read};
use std::sync::mpsc::SyncSender;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

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
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                // The terminal was closed.
                _ = hangup.recv() => 129,
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
