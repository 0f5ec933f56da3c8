//! The backlog: rows that were added, and whose index entries still wait in the pending lists.
//!
//! A flush costs about the same however much it moves, since it visits nearly every trigram there is: so the
//! longer the list, the cheaper each row. But every search reads the list from end to end. So there are two
//! reasons to flush: the list is as long as it may become, or searches have spent as much on reading it as a
//! flush costs.
//!
//! CPU time of inserts of 50 rows into a table with the index of names alone, microseconds a row, and of one
//! search for two trigrams while the list is full (120,000 names of the laboratory's kind, one client, by hand;
//! `make bench` shows what it comes to):
//!
//! ```text
//! flush after     rows in the table: 200,000    1,000,000     a search reads
//!  4,096 rows                           68.4         49.3             1.1 ms
//! 16,384                                28.5         36.6             4.3 ms
//! 32,768                                   -           29.2         10.6 ms
//! 65,536                                22.5              -               -
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::types::NewRow;

/// Entries that are worth a flush whether anybody searches or not: 13,000 names of 50 letters with 10 skills, a
/// list of 13 MB. A writer flushes by itself, in its own statement, at 32 MB (`postgres-conf/roles.sql`).
pub(super) const ENOUGH: u64 = 768 * 1024;
/// Fewer entries than this stay: a flush leaves lists of 64 kB as they are, and a dead row of its own.
const FEW: u64 = 4096;
/// Entries that searches may read before a flush is cheaper: it takes 180 ms for 18,000 trigrams, and 4 ns are
/// spent on an entry.
const READ_ENOUGH: u64 = 44 * 1024 * 1024;
/// Above this the writers outrun the flusher, and write one at a time. One alone does not: a row costs
/// a writer more than the flusher.
const TOO_MANY: u64 = ENOUGH + ENOUGH / 3;
/// Longest wait for a turn: who has it may be stuck on a connection that is dead, and the others go on.
const TURN_TIMEOUT: Duration = Duration::from_millis(500);

/// What this process has added, flushed and read, in index entries; rows that others add, they flush themselves.
pub(super) struct Backlog {
    added: AtomicU64,
    flushed: AtomicU64,
    /// Since the last flush.
    read: AtomicU64,
    flusher: SyncSender<()>,
    turn: Mutex<()>,
}

impl Backlog {
    /// An empty one, which tells `flusher` when a flush [is due](Self::is_due), and by its end that the
    /// store has gone.
    pub(super) fn new(flusher: SyncSender<()>) -> Self {
        Self {
            added: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            read: AtomicU64::new(0),
            flusher,
            turn: Mutex::new(()),
        }
    }

    /// To be held while rows are being added: lets one writer pass at a time while there are too many.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.entries() <= TOO_MANY {
            return None;
        }
        self.turn.try_lock_for(TURN_TIMEOUT)
    }

    /// Counts entries that were added.
    pub(super) fn add(&self, entries: u64) {
        self.added.fetch_add(entries, Ordering::Relaxed);
        self.tell();
    }

    /// Counts a search, which reads what waits.
    pub(super) fn read(&self) {
        self.read.fetch_add(self.entries(), Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        if self.is_due() {
            // One that has not been read yet says the same.
            let _ = self.flusher.try_send(());
        }
    }

    /// Whether a flush costs less than going on without.
    pub(super) fn is_due(&self) -> bool {
        let entries = self.entries();
        entries >= ENOUGH || (entries >= FEW && self.read.load(Ordering::Relaxed) >= READ_ENOUGH)
    }

    /// Whether there is anything to flush.
    pub(super) fn is_worth_a_flush(&self) -> bool {
        self.entries() >= FEW
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

/// The index entries of a row: about one for each letter of the name, and one for each skill.
pub(super) fn entries(row: &NewRow) -> u64 {
    (row.warrior.name.chars().count() + row.warrior.fight_skills.len()) as u64
}
