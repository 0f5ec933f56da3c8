//! The breaker: open while the database cannot be reached, so that nobody queues for it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::probe::Call;
use crate::throttle::throttled;

/// Shared by all lanes and the probe.
pub(super) struct Breaker {
    open: AtomicBool,
    opened_at: Mutex<Option<Instant>>,
    born: Instant,
    /// Microseconds from `born` to the last batch that the database answered.
    last_success: AtomicU64,
    wake: SyncSender<Call>,
}

impl Breaker {
    /// A closed breaker, which wakes the probe through `wake` when it opens.
    pub(super) fn new(wake: SyncSender<Call>) -> Self {
        Self {
            open: AtomicBool::new(false),
            opened_at: Mutex::new(None),
            born: Instant::now(),
            last_success: AtomicU64::new(0),
            wake,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// A batch was answered by the database.
    pub(super) fn succeeded(&self) {
        self.last_success
            .store(self.micros(Instant::now()), Ordering::Release);
    }

    /// A batch that began at `since` could not be sent, twice. Opens the breaker unless another
    /// batch succeeded meanwhile: then it is one connection that is in trouble, not the database.
    pub(super) fn failed(&self, since: Instant, why: &str) {
        if self.last_success.load(Ordering::Acquire) >= self.micros(since).max(1) {
            return;
        }
        if !self.open.swap(true, Ordering::AcqRel) {
            *self.lock() = Some(Instant::now());
            throttled!(
                ERROR,
                "the database is gone: refusing requests until it answers",
                lane = "",
                reason = "database_gone",
                error = why
            );
            let _ = self.wake.try_send(Call::Wake);
        }
    }

    /// The database answered the probe.
    pub(super) fn close(&self) {
        if self.open.swap(false, Ordering::AcqRel) {
            self.succeeded();
            let seconds = self
                .lock()
                .take()
                .map_or(0.0, |at| at.elapsed().as_secs_f64());
            throttled!(
                INFO,
                "the database is back",
                lane = "",
                reason = "database_back",
                refused_for_seconds = seconds
            );
        }
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.opened_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
