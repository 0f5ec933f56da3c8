//! Group flush: a thread that empties the pending lists of the search indexes while rows are added, so that no
//! create has to do it in the middle of its own statement. The times of flushes are argued in [`super::backlog`], the
//! means beside the SQL function.

use std::io;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::backlog::QUIET_TIME;
use super::drift_watch::Watch;
use super::error::StoreError;
use super::pool::Connections;
use super::session::Connected;
use crate::store::Access;
use crate::throttle::throttled;

/// Longest time of a flush: longer than PgBouncer's `query_timeout`, which is longer than that of flush.sql.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(6);
const FLUSH: &str = include_str!("../sql/flush.sql");

/// Starts the flusher, which also watches for [drift](super::drift_watch); it ends when the sender of `due` is dropped,
/// and keeps no store alive.
pub(super) fn start(store: Weak<Connections>, due: Receiver<()>, drift: Watch) -> io::Result<()> {
    thread::Builder::new()
        .name("flusher".to_owned())
        .spawn(move || run(&store, &due, drift))
        .map(drop)
}

fn run(store: &Weak<Connections>, due: &Receiver<()>, mut drift: Watch) {
    let mut seen = 0;
    loop {
        let woken = match due.recv_timeout(QUIET_TIME) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(store) = store.upgrade() else { return };
        let added = store.backlog.added();
        let quiet = !woken && added == seen;
        seen = added;
        if store.backlog.wants_flush(quiet) {
            match flush(&store) {
                // Entries that were moved before the cut stay moved; the others are tried again.
                Err(e) if e.is_timeout() => {}
                // Also after a failure: then the writers flush by themselves, and need not wait.
                _ => store.backlog.flushed(added),
            }
        }
        drift.look(&store);
    }
}

fn flush(store: &Connections) -> Result<(), StoreError> {
    let result = (store.connect(Access::Other)).and_then(|mut connected| connected.flush());
    if let Err(e) = &result {
        throttled!(
            WARN,
            "the pending lists of the search indexes were not flushed",
            lane = "",
            reason = e.sqlstate().unwrap_or(e.class.name()).to_owned(),
            error = %e
        );
    }
    result
}

impl Connected<'_> {
    /// Empties the pending lists of the search indexes.
    fn flush(&mut self) -> Result<(), StoreError> {
        self.run_unrepaired(FLUSH_TIMEOUT, FLUSH)
            .map_err(StoreError::of_read)
    }
}
