//! Group flush and backpressure: when what waits in the pending lists (GIN `fastupdate`) is worth a flush.
//!
//! A flush costs about the same however much it moves, since it visits nearly every trigram there is: so the longer the
//! list, the cheaper each row. But every search reads the list from end to end. So there are three reasons to flush:
//! the list is as long as it may become, searches have spent as much on reading it as a flush costs, or nothing more is
//! added. While the flusher is behind, writers take turns, and most searches are shed, which is the backpressure: a search of
//! a long list takes the processor that its flush needs, and a flush that is cut off leaves the list longer.
//!
//! The lists are one for all servers, so the database says how long they are, and what searches have read of them. The
//! flusher asks it now and then; in between this server adds what itself has done. It alone knows of its flushes that were
//! cut off.
//!
//! Figures: `bench/results/2026-11-pending-lists/README.md`; `make bench` measures again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// Bytes that are worth a flush whether anybody searches or not: 13,000 names of 50 letters with 10 skills.
pub(super) const FLUSH_AT_BYTES: u64 = 18 * 1024 * 1024;
/// Bytes of this process's own after which the database is asked how much waits: sixteen servers that add the same
/// together have added what is worth a flush.
const LOOK_AT_BYTES: u64 = FLUSH_AT_BYTES / 16;
/// Less than this stays: a flush leaves lists of 64 kB as they are, and a dead row of its own.
pub(super) const FLUSH_MIN_BYTES: u64 = 96 * 1024;
/// Bytes that searches may read before a flush is cheaper: at so many, both take the same processor time.
const FLUSH_AT_BYTES_READ: u64 = 1024 * 1024 * 1024;
/// How long nothing is added until what waits is flushed without need: otherwise the first searches of a quiet time would
/// read all of it in the list.
pub(super) const QUIET_TIME: Duration = Duration::from_secs(1);
/// Above this the flusher is behind, and writers write one at a time. They may add as much again while it flushes as
/// has made it begin: a flush takes most of a second on a busy machine. A writer flushes by itself, in its own statement,
/// when one list has 64 MB (`postgres-conf/roles.sql`).
pub(super) const THROTTLE_ABOVE_BYTES: u64 = 2 * FLUSH_AT_BYTES;
/// Longest time without a flush that ends in which anybody is held back: what keeps them from ending any longer is not what
/// backpressure holds back.
pub(super) const HELD_BACK_MAX: Duration = Duration::from_secs(60);
/// Longest wait for a turn: the writer that has it may be stuck on a connection that is dead, and the others go on.
const TURN_TIMEOUT: Duration = Duration::from_millis(500);

/// What waits in the pending lists, and what searches have read of them since the last flush: as the database said last,
/// and by this process since.
pub(super) struct Backlog {
    waiting: Tally,
    read: Tally,
    /// The last flush of this process ran out of its time.
    cut_off: AtomicBool,
    /// When one last ended, or there was none to be done.
    flushed: Mutex<Instant>,
    flusher: SyncSender<()>,
    turn: Mutex<()>,
}

/// Bytes.
#[derive(Debug, Default)]
struct Tally {
    seen: AtomicU64,
    since: AtomicU64,
}

/// What this process has done since it asked the database last, at the moment when it asks again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Bytes that this process has added to the lists since the database said last how long they are.
    pub(super) added: u64,
    /// Bytes of the lists that searches of this process have read since the database was told last.
    pub(super) read: u64,
}

impl Tally {
    fn bytes(&self) -> u64 {
        self.seen.load(Ordering::Relaxed) + self.since.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.since.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What the database has said includes these bytes of the process's own.
    fn learn(&self, seen: u64, own: u64) {
        self.seen.store(seen, Ordering::Relaxed);
        self.since.fetch_sub(own, Ordering::Relaxed);
    }
}

impl Backlog {
    /// An empty one, which wakes `flusher` when the database is to be asked, and ends it by being dropped.
    pub(super) fn new(flusher: SyncSender<()>) -> Self {
        Self {
            waiting: Tally::default(),
            read: Tally::default(),
            cut_off: AtomicBool::new(false),
            flushed: Mutex::new(Instant::now()),
            flusher,
            turn: Mutex::new(()),
        }
    }

    /// Whether more comes than the flusher gets done, and less would help.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind_at(Instant::now())
    }

    pub(super) fn is_behind_at(&self, now: Instant) -> bool {
        let enough = match self.cut_off.load(Ordering::Relaxed) {
            true => FLUSH_AT_BYTES,
            false => THROTTLE_ABOVE_BYTES,
        };
        self.waiting.bytes() > enough
            && now.saturating_duration_since(*self.flushed.lock()) < HELD_BACK_MAX
    }

    /// Backpressure: to be held while rows are being added; one writer passes at a time while the flusher is behind.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.is_behind() {
            true => self.turn.try_lock_for(TURN_TIMEOUT),
            false => None,
        }
    }

    /// Counts bytes that were added.
    pub(super) fn add(&self, bytes: u64) {
        self.waiting.add(bytes);
        self.wake_if_due();
    }

    /// Counts a search, which reads all that waits.
    pub(super) fn read(&self) {
        self.read.add(self.waiting.bytes());
        self.wake_if_due();
    }

    fn wake_if_due(&self) {
        let own = self.waiting.since.load(Ordering::Relaxed);
        if own >= LOOK_AT_BYTES || self.due(false).is_some() {
            // A wake-up that has not been received yet serves for this one, too.
            let _ = self.flusher.try_send(());
        }
    }

    /// The fewest bytes for which a flush costs less than going on without, where that many wait; `quiet` says that
    /// nothing was added for [`QUIET_TIME`].
    pub(super) fn due(&self, quiet: bool) -> Option<u64> {
        let waiting = self.waiting.bytes();
        let read = self.read.bytes() >= FLUSH_AT_BYTES_READ;
        match waiting {
            FLUSH_AT_BYTES.. => Some(FLUSH_AT_BYTES),
            FLUSH_MIN_BYTES.. if quiet || read => Some(FLUSH_MIN_BYTES),
            _ => None,
        }
    }

    /// Before the database is asked.
    pub(super) fn asking(&self) -> Asked {
        Asked {
            added: self.waiting.since.load(Ordering::Relaxed),
            read: self.read.since.load(Ordering::Relaxed),
        }
    }

    /// The database has said what waits, and what was read of it.
    pub(super) fn learn(&self, asked: Asked, waiting: u64, read: u64) {
        self.waiting.learn(waiting, asked.added);
        self.read.learn(read, asked.read);
    }

    /// A flush has ended in its time, or there is none to be done.
    pub(super) fn flushed(&self) {
        self.cut_off.store(false, Ordering::Relaxed);
        *self.flushed.lock() = Instant::now();
    }

    /// A flush was cut off.
    pub(super) fn cut_off(&self) {
        self.cut_off.store(true, Ordering::Relaxed);
    }

    /// Nobody can flush, or say what waits: then the writers flush by themselves, and need not wait.
    pub(super) fn forget(&self) {
        self.learn(self.asking(), 0, 0);
    }
}
