//! Group flush and backpressure: the index entries of added rows that still wait in the pending lists (GIN
//! `fastupdate`).
//!
//! A flush costs about the same however many entries it moves, since it visits nearly every trigram there is: so the
//! longer the list, the cheaper each row. But every search reads the list from end to end. So there are three reasons
//! to flush: the list is as long as it may become, searches have spent as much on reading it as a flush costs, or
//! nothing more is added. Writers that outrun the flusher take turns, which is the backpressure.
//!
//! Figures: `bench/results/2026-11-pending-lists/README.md`; `make bench` measures again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

/// Entries that are worth a flush whether anybody searches or not: 13,000 names of 50 letters with 10 skills, a
/// list of 13 MB. A writer flushes by itself, in its own statement, at 32 MB (`postgres-conf/roles.sql`).
pub(super) const FLUSH_AT_ENTRIES: u64 = 768 * 1024;
/// Fewer entries than this stay: a flush leaves lists of 64 kB as they are, and a dead row of its own.
pub(super) const FLUSH_MIN_ENTRIES: u64 = 4096;
/// Entries that searches may read before a flush is cheaper: at so many, both take the same processor time.
const FLUSH_AT_ENTRIES_READ: u64 = 44 * 1024 * 1024;
/// How long nothing is added until the entries that wait are flushed without need: otherwise the first searches of a
/// quiet time would read all of them in the list.
pub(super) const QUIET_TIME: Duration = Duration::from_secs(1);
/// Above this the writers outrun the flusher, and write one at a time. One alone does not: a row costs
/// a writer more than the flusher.
const THROTTLE_ABOVE_ENTRIES: u64 = FLUSH_AT_ENTRIES + FLUSH_AT_ENTRIES / 3;
/// Longest wait for a turn: the writer that has it may be stuck on a connection that is dead, and the others go on.
const TURN_TIMEOUT: Duration = Duration::from_millis(500);

/// The index entries that this process has added, flushed and read; other writers flush their own.
pub(super) struct Backlog {
    added: AtomicU64,
    flushed: AtomicU64,
    /// Since the last flush.
    read: AtomicU64,
    flusher: SyncSender<()>,
    turn: Mutex<()>,
}

impl Backlog {
    /// An empty one, which wakes `flusher` when a flush [is wanted](Self::wants_flush), and ends it by being dropped.
    pub(super) fn new(flusher: SyncSender<()>) -> Self {
        Self {
            added: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            read: AtomicU64::new(0),
            flusher,
            turn: Mutex::new(()),
        }
    }

    /// Backpressure: to be held while rows are being added; one writer passes at a time while too many entries wait.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.entries() <= THROTTLE_ABOVE_ENTRIES {
            return None;
        }
        self.turn.try_lock_for(TURN_TIMEOUT)
    }

    /// Counts entries that were added.
    pub(super) fn add(&self, entries: u64) {
        self.added.fetch_add(entries, Ordering::Relaxed);
        self.wake_if_wanted();
    }

    /// Counts a search, which reads all entries that wait.
    pub(super) fn read(&self) {
        self.read.fetch_add(self.entries(), Ordering::Relaxed);
        self.wake_if_wanted();
    }

    fn wake_if_wanted(&self) {
        if self.wants_flush(false) {
            // A wake-up that has not been received yet serves for this one, too.
            let _ = self.flusher.try_send(());
        }
    }

    /// Whether a flush costs less than going on without; `quiet` says that nothing was added for [`QUIET_TIME`]. The
    /// flusher asks after a wake-up, too, since the last flush may have moved the entries that it was for.
    pub(super) fn wants_flush(&self, quiet: bool) -> bool {
        let entries = self.entries();
        entries >= FLUSH_MIN_ENTRIES
            && (quiet
                || entries >= FLUSH_AT_ENTRIES
                || self.read.load(Ordering::Relaxed) >= FLUSH_AT_ENTRIES_READ)
    }

    /// Entries that wait now.
    pub(super) fn entries(&self) -> u64 {
        let flushed = self.flushed.load(Ordering::Relaxed);
        self.added.load(Ordering::Relaxed).saturating_sub(flushed)
    }

    /// Entries added so far, to be given to [`flushed`](Self::flushed) once they are.
    pub(super) fn added(&self) -> u64 {
        self.added.load(Ordering::Relaxed)
    }

    /// The flush that began when `added` entries had been added has ended.
    pub(super) fn flushed(&self, added: u64) {
        self.flushed.store(added, Ordering::Relaxed);
        self.read.store(0, Ordering::Relaxed);
    }
}
