//! Queueing estimate: the wait that a lane's size and the duration of its last batches let expect, by Little's law.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Sizes;

/// Time over which the duration of batches is averaged.
const MEMORY: Duration = Duration::from_secs(3);

/// The size of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaneSize {
    /// Worker threads.
    pub(super) workers: usize,
    /// Workers that take batches while the queue is short. The others start at
    /// [`EXTRA_WORKER_AT`](super::queue::EXTRA_WORKER_AT), or after [`LINGER_MAX`](super::queue::LINGER_MAX) without a
    /// taker.
    pub(super) base_workers: usize,
    /// Most requests in one batch.
    pub(super) batch_max: usize,
    /// Floor of the batch size in the estimate of a wait.
    pub(super) assumed_batch_min: usize,
    /// Most requests that wait.
    pub(super) queue_max: usize,
}

impl LaneSize {
    /// The size of a lane any two of whose requests share a statement. A row costs less than its statement's round trip,
    /// plan and commit: half of the workers, with larger batches, store and find more than all of them.
    pub(super) fn sharing_statements(sizes: &Sizes, workers: usize) -> Self {
        Self {
            workers,
            base_workers: workers.div_ceil(2),
            batch_max: sizes.batch_max,
            assumed_batch_min: sizes.batch_max,
            queue_max: sizes.queue_max,
        }
    }
}

/// The speed of a lane's workers, and the age of the attempt that each of them runs.
pub(super) struct Pace {
    born: Instant,
    /// Exponentially weighted mean of a batch's duration.
    batch_micros: AtomicU64,
    /// Exponentially weighted mean of a batch's size, in thousandths of a request.
    batch_milli_requests: AtomicU64,
    /// For each worker, microseconds from `born` to its last attempt at the batch that runs; 0 when idle.
    busy_since_micros: Vec<AtomicU64>,
}

impl Pace {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            born: Instant::now(),
            batch_micros: AtomicU64::new(0),
            batch_milli_requests: AtomicU64::new(0),
            busy_since_micros: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn begin(&self, worker: usize, now: Instant) {
        self.busy_since_micros[worker].store(self.micros(now).max(1), Ordering::Relaxed);
    }

    pub(super) fn end(&self, worker: usize, took: Duration, requests: usize) {
        self.busy_since_micros[worker].store(0, Ordering::Relaxed);
        learn(&self.batch_micros, took, took.as_micros());
        learn(&self.batch_milli_requests, took, 1000 * requests as u128);
    }

    /// Little's law: the batches that `waiting` requests and a new one fill, over the workers, each as long as
    /// batches were lately.
    pub(super) fn estimated_wait(&self, waiting: usize, size: LaneSize) -> Duration {
        let served = self.batch_milli_requests.load(Ordering::Relaxed) / 1000;
        let served = usize::try_from(served)
            .unwrap_or(usize::MAX)
            .max(size.assumed_batch_min);
        // The batches ahead, and that of the new one itself.
        let rounds = waiting.div_ceil(served).div_ceil(size.workers) + 1;
        let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
        let batch_micros = self.batch_micros.load(Ordering::Relaxed);
        Duration::from_micros(batch_micros.saturating_mul(rounds))
    }

    /// Whether every worker has been busy with one attempt for longer than `limit`: then the
    /// database keeps silent, and waiting is hopeless.
    pub(super) fn is_stalled(&self, now: Instant, limit: Duration) -> bool {
        let now = self.micros(now);
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.busy_since_micros
            .iter()
            .all(|since| match since.load(Ordering::Relaxed) {
                0 => false,
                since => now.saturating_sub(since) > limit,
            })
    }

    /// Workers that are busy with an attempt at a batch.
    pub(super) fn busy(&self) -> usize {
        let since = self.busy_since_micros.iter();
        since
            .filter(|since| since.load(Ordering::Relaxed) > 0)
            .count()
    }

    /// The age of the oldest attempt at a batch that runs; zero when all workers are idle.
    pub(super) fn oldest(&self, now: Instant) -> Duration {
        let busy = self.busy_since_micros.iter();
        let since = busy.map(|since| since.load(Ordering::Relaxed));
        let first = since.filter(|since| *since > 0).min();
        Duration::from_micros(first.map_or(0, |since| self.micros(now).saturating_sub(since)))
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }
}

/// Moves an exponentially weighted mean towards the sample of a batch, by the batch's share of the last seconds: a mean over
/// a number of batches would need half a minute to learn that each of them takes a second now. By a 32nd at least: with an
/// eighth, a few slow batches in a row had searches refused that would have been answered in a fifth of their time. An
/// update lost between two workers costs one sample of many.
fn learn(mean: &AtomicU64, took: Duration, sample: u128) {
    let weight = (took.as_secs_f64() / (took + MEMORY).as_secs_f64()).max(1.0 / 32.0);
    let old = mean.load(Ordering::Relaxed) as f64;
    let new = old + weight * (sample as f64 - old);
    mean.store(new as u64, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So short that it counts a 32nd.
    const BATCH: Duration = Duration::from_millis(64);

    fn size(assumed_batch_min: usize) -> LaneSize {
        LaneSize {
            workers: 2,
            base_workers: 2,
            batch_max: 10,
            assumed_batch_min,
            queue_max: 100,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_the_batches_ahead_over_the_workers_and_the_own_one() {
        let pace = Pace::new(2);
        assert_eq!(pace.estimated_wait(40, size(10)), Duration::ZERO);
        pace.end(0, BATCH, 10);
        let batch = BATCH / 32;
        assert_eq!(pace.estimated_wait(0, size(10)), batch);
        assert_eq!(pace.estimated_wait(20, size(10)), 2 * batch);
        assert_eq!(pace.estimated_wait(21, size(10)), 3 * batch);
        assert_eq!(pace.estimated_wait(20, size(1)), 11 * batch);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_slow_batches_are_enough_to_expect_another() {
        let pace = Pace::new(2);
        for _ in 0..1000 {
            pace.end(0, BATCH, 10);
        }
        for _ in 0..3 {
            pace.end(0, Duration::from_secs(2), 10);
        }
        let expected = pace.estimated_wait(0, size(10));
        assert!(expected > Duration::from_secs(1), "{expected:?}");
        for _ in 0..200 {
            pace.end(0, BATCH, 10);
        }
        let expected = pace.estimated_wait(0, size(10));
        assert!(expected < 2 * BATCH, "{expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_stalled_once_every_worker_is() {
        let pace = Pace::new(2);
        let began = Instant::now();
        pace.begin(0, began);
        let later = began + 2 * BATCH;
        assert!(!pace.is_stalled(later, BATCH));
        pace.begin(1, began + BATCH / 2);
        assert!(pace.is_stalled(later, BATCH));
        assert!(!pace.is_stalled(later, 2 * BATCH));
        assert!(pace.oldest(later) >= 2 * BATCH - Duration::from_micros(1));
        pace.end(0, BATCH, 1);
        assert!(!pace.is_stalled(later, BATCH));
    }
}
