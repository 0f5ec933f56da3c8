//! The flusher: empties the pending lists of the search indexes while rows are added, so that no
//! create has to do it in the middle of its own statement (the figures are in V6__flush.sql).

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::Inner;

/// Short enough that a list stays small: at 20,000 rows/s it holds 4,000 rows.
const INTERVAL: Duration = Duration::from_millis(200);

/// Starts the flusher; it ends when the sender of `end` is dropped, and keeps no store alive.
pub(super) fn start(store: Weak<Inner>, end: Receiver<()>) -> io::Result<()> {
    thread::Builder::new()
        .name("flusher".to_owned())
        .spawn(move || run(&store, &end))
        .map(drop)
}

fn run(store: &Weak<Inner>, end: &Receiver<()>) {
    let mut flushed = 0;
    while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(INTERVAL) {
        let Some(store) = store.upgrade() else { return };
        let written = store.written();
        if written != flushed {
            flush(&store);
            flushed = written;
        }
    }
}

/// Nobody waits for it and it is tried again soon; what is wrong with the database, those who wait
/// for it will say.
fn flush(store: &Arc<Inner>) {
    match store.session().and_then(|mut session| session.flush()) {
        Ok(pages) => tracing::debug!(pages, "flushed the pending lists of the search indexes"),
        Err(e) => tracing::debug!(error = %e, "the pending lists were not flushed"),
    }
}
