//! The flusher: empties the pending lists of the search indexes while rows are added, so that no
//! create has to do it in the middle of its own statement (the figures are in V10__bounded_flush.sql).

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::Inner;
use super::backlog::ENOUGH;

/// How long rows wait that are not enough: with none after them, searches would read them in the
/// list for ever.
const REST: Duration = Duration::from_secs(1);
/// Fewer than this stay: a flush leaves lists of 64 kB as they are, and a dead row of its own.
const FEW: u64 = 64;

/// Starts the flusher; it ends when the sender of `enough` is dropped, and keeps no store alive.
pub(super) fn start(store: Weak<Inner>, enough: Receiver<()>) -> io::Result<()> {
    thread::Builder::new()
        .name("flusher".to_owned())
        .spawn(move || run(&store, &enough))
        .map(drop)
}

fn run(store: &Weak<Inner>, enough: &Receiver<()>) {
    loop {
        let least = match enough.recv_timeout(REST) {
            // It may have been said of rows that the last flush has taken along.
            Ok(()) => ENOUGH,
            Err(RecvTimeoutError::Timeout) => FEW,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(store) = store.upgrade() else { return };
        if store.backlog.rows() >= least {
            let added = store.backlog.added();
            flush(&store);
            // Also when it failed: then the writers flush by themselves, and need not wait for it.
            store.backlog.flushed(added);
        }
    }
}

fn flush(store: &Arc<Inner>) {
    if let Err(e) = store.session().and_then(|mut session| session.flush()) {
        tracing::warn!(error = %e, "the pending lists of the search indexes were not flushed");
    }
}
