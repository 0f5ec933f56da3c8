//! The health check of a lane: whether its batches succeed, for `/ready` and `/metrics`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Failed batches in a row from which on their lane counts as failing: one may be the last on an old connection, or
/// carry a request that no database can serve.
const FAILURES_MIN: u32 = 3;
/// Time for which the last failure counts. A server that is taken out of a balancer gets no requests that could
/// succeed, so it is put back, and the next batches show its state.
const FAILURE_HOLD: Duration = Duration::from_secs(5);

/// The outcome of the last batches of a lane.
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
    /// The start of the first of them.
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

    /// Why this lane's batches fail; none when they are not known to. With less than `deadline` between the first
    /// failure and the last it may be a passing fault.
    pub(super) fn trouble(&self, now: Instant, deadline: Duration) -> Option<String> {
        let beats = self.0.lock();
        let streak = beats.failing.as_ref().filter(|streak| {
            streak.batches >= FAILURES_MIN
                && streak.last.duration_since(streak.since) >= deadline
                && now.duration_since(streak.last) < FAILURE_HOLD
        })?;
        let Streak { batches, why, .. } = streak;
        Some(format!(
            "its last {batches} batches failed, the last one with: {why}"
        ))
    }

    /// The time of the last success, in seconds since 1970; 0 before the first time.
    pub(super) fn last_success_seconds(&self) -> f64 {
        let at = self.0.lock().last_success.unwrap_or(UNIX_EPOCH);
        at.duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(3);

    fn trouble(pulse: &Pulse) -> Option<String> {
        pulse.trouble(Instant::now(), DEADLINE)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_fails_after_failures_in_a_row_that_span_a_deadline() {
        let pulse = Pulse::default();
        let fail = || pulse.failed(Instant::now(), "provoked".to_owned());
        fail();
        advance(DEADLINE / 2).await;
        fail();
        assert_eq!(trouble(&pulse), None);
        advance(DEADLINE / 2).await;
        fail();
        let why = trouble(&pulse).unwrap();
        assert!(why.contains("3 batches failed") && why.contains("provoked"));
        pulse.succeeded();
        assert_eq!(trouble(&pulse), None);
    }

    #[tokio::test(start_paused = true)]
    async fn many_failures_at_once_are_a_passing_fault() {
        let pulse = Pulse::default();
        for _ in 0..10 {
            pulse.failed(Instant::now(), "provoked".to_owned());
        }
        assert_eq!(trouble(&pulse), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_held_against_a_lane_for_a_while() {
        let pulse = Pulse::default();
        let began = Instant::now();
        advance(DEADLINE).await;
        for _ in 0..3 {
            pulse.failed(began, "provoked".to_owned());
        }
        assert!(trouble(&pulse).is_some());
        advance(FAILURE_HOLD).await;
        assert_eq!(trouble(&pulse), None);
    }
}
