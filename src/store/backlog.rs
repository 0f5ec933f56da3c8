//! The backlog: rows that were added, and whose index entries still wait in the pending lists.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

/// Rows that are worth a flush. More make it cheaper for each row, and each search slower, which reads
/// the list from end to end; the figures are in V10__bounded_flush.sql.
pub(super) const ENOUGH: u64 = 4096;
/// Above this the writers outrun the flusher, and write one at a time. One alone does not: a row costs
/// a writer more than the flusher.
const TOO_MANY: u64 = 2 * ENOUGH;
/// Longest wait for a turn: who has it may be stuck on a connection that is dead, and the others go on.
const TURN_TIMEOUT: Duration = Duration::from_millis(500);

/// What this process has added and flushed; rows that others add, they flush themselves.
pub(super) struct Backlog {
    added: AtomicU64,
    flushed: AtomicU64,
    flusher: SyncSender<()>,
    turn: Mutex<()>,
}

impl Backlog {
    /// An empty one, which tells `flusher` when there are rows [`ENOUGH`], and by its end that the
    /// store has gone.
    pub(super) fn new(flusher: SyncSender<()>) -> Self {
        Self {
            added: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            flusher,
            turn: Mutex::new(()),
        }
    }

    /// To be held while rows are being added: lets one writer pass at a time while there are too many.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.rows() <= TOO_MANY {
            return None;
        }
        self.turn.try_lock_for(TURN_TIMEOUT)
    }

    /// Counts rows that were added.
    pub(super) fn add(&self, rows: usize) {
        self.added.fetch_add(rows as u64, Ordering::Relaxed);
        if self.rows() >= ENOUGH {
            // One that has not been read yet says the same.
            let _ = self.flusher.try_send(());
        }
    }

    /// Rows that wait now.
    pub(super) fn rows(&self) -> u64 {
        let flushed = self.flushed.load(Ordering::Relaxed);
        self.added.load(Ordering::Relaxed).saturating_sub(flushed)
    }

    /// Rows added so far, to be given to [`flushed`](Self::flushed) once they are.
    pub(super) fn added(&self) -> u64 {
        self.added.load(Ordering::Relaxed)
    }

    /// The flush that began when `added` rows had been added has ended.
    pub(super) fn flushed(&self, added: u64) {
        self.flushed.store(added, Ordering::Relaxed);
    }
}
