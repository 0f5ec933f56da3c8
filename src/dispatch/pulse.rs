//! The pulse of a lane: whether its batches come to an end that is worth something, for `/ready` and `/metrics`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::time::Instant;

/// So many batches in a row fail before their lane counts as failing: one may be the last on an old connection, or
/// carry what no database can do.
const FAILURES: u32 = 3;
/// How long the last failure counts. Who is taken out of a balancer gets no requests that could succeed, so it
/// is put back, and the next batches tell.
const HOLD: Duration = Duration::from_secs(5);

/// What became of the last batches of a lane.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Beats>);

#[derive(Debug, Default)]
struct Beats {
    last_success: Option<SystemTime>,
    failing: Option<Streak>,
}

/// Batches that failed, with none that succeeded between them.
#[derive(Debug)]
struct Streak {
    /// When the first of them began.
    since: Instant,
    last: Instant,
    batches: u32,
    /// Why the last one failed.
    why: String,
}

impl Pulse {
    /// The database answered a batch.
    pub(super) fn succeeded(&self) {
        let mut beats = self.0.lock();
        beats.last_success = Some(SystemTime::now());
        beats.failing = None;
    }

    /// A batch that began at `since` failed for good.
    pub(super) fn failed(&self, since: Instant, why: String) {
        let mut beats = self.0.lock();
        let (since, batches) = match &beats.failing {
            Some(streak) => (streak.since, streak.batches.saturating_add(1)),
            None => (since, 1),
        };
        beats.failing = Some(Streak {
            since,
            last: Instant::now(),
            batches,
            why,
        });
    }

    /// Why nothing comes of this lane's batches; none when it is not known to fail. With less than `patience`
    /// between the first failure and the last it may be a passing fault.
    pub(super) fn trouble(&self, now: Instant, patience: Duration) -> Option<String> {
        let beats = self.0.lock();
        let streak = beats.failing.as_ref().filter(|streak| {
            streak.batches >= FAILURES
                && streak.last.duration_since(streak.since) >= patience
                && now.duration_since(streak.last) < HOLD
        })?;
        let Streak { batches, why, .. } = streak;
        Some(format!(
            "its last {batches} batches failed, the last one with: {why}"
        ))
    }

    /// When a batch last succeeded, in seconds since 1970; 0 before the first time.
    pub(super) fn last_success(&self) -> f64 {
        let at = self.0.lock().last_success.unwrap_or(UNIX_EPOCH);
        at.duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}
