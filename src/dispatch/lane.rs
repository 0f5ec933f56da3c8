//! A lane: one kind of request, its bounded queue, its workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::job::{Job, job};
use super::metrics::LaneMetrics;
use super::pulse::Pulse;
use super::queue::{PushError, Queue, Takers};
use super::work::Work;
use super::worker::Worker;
use super::{Failure, Reason};
use crate::budget::Budget;
use crate::throttle::throttled;

/// So many requests are worth a batch of their own while others run: what a batch costs by itself, some 20
/// times what a row costs, is less than half of it then.
const CROWD: usize = 32;

/// A batch of several kinds should not take longer: those whose own part is short wait for the others.
const LONG: Duration = Duration::from_millis(20);

/// Whether two requests are of one kind, and the failure that a reply stands for, if it does.
pub(super) type Traits<Q, R> = (fn(&Q, &Q) -> bool, fn(&R) -> Option<Failure>);

/// What requests that wait are charged to, and the bytes that each takes.
pub(super) type Weigh<Q> = (Budget, fn(&Q) -> usize);

/// How big a lane is.
#[derive(Clone, Copy, Debug)]
pub struct LaneSize {
    /// Worker threads.
    pub workers: usize,
    /// How many of them work while few requests wait; the others help when it is many, or when nobody
    /// comes to take them.
    pub workers_few: usize,
    /// Most requests in one batch.
    pub batch_max: usize,
    /// Most kinds of requests in one batch, each of which costs as much as a batch of its own would but for
    /// the round trip. Fewer while they take long.
    pub kinds_max: usize,
    /// Requests that one batch serves at least when the queue is long: as many as it may carry where
    /// any two may share one, a single one where only equal requests may.
    pub batch_least: usize,
    /// Most requests that wait.
    pub queue_max: usize,
}

/// One kind of request, its bounded queue and its workers.
pub(super) struct Lane<Q, R> {
    shared: Arc<Shared<Q, R>>,
}

/// What the front end and the workers of a lane both see.
pub(super) struct Shared<Q, R> {
    pub(super) name: &'static str,
    pub(super) size: LaneSize,
    pub(super) queue: Queue<Job<Q, R>>,
    /// Whether two requests are of one kind: both cost little more than one of them.
    pub(super) together: fn(&Q, &Q) -> bool,
    weigh: Weigh<Q>,
    /// The failure of a reply that nothing was stored: no firm answer after an attempt of unknown outcome.
    pub(super) refused: fn(&R) -> Option<Failure>,
    pub(super) breaker: Arc<Breaker>,
    pub(super) metrics: LaneMetrics,
    pub(super) pace: Pace,
    pub(super) pulse: Pulse,
}

/// How fast the workers of a lane are, and whether any of them still moves.
pub(super) struct Pace {
    born: Instant,
    /// Exponentially weighted mean of a batch's duration, in microseconds.
    batch_micros: AtomicU64,
    /// Exponentially weighted mean of a batch's size, in thousandths of a request.
    batch_milli_requests: AtomicU64,
    /// Kinds that a batch may have now.
    kinds: AtomicUsize,
    /// For each worker, microseconds from `born` to its last attempt at the batch that runs; 0 when idle.
    busy_since: Vec<AtomicU64>,
}

// === impl Lane ===

impl<Q: Send + 'static, R: Send + 'static> Lane<Q, R> {
    /// Starts the lane's workers; they end when the lane is dropped and its queue is empty.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(
        name: &'static str,
        size: LaneSize,
        breaker: Arc<Breaker>,
        metrics: LaneMetrics,
        (together, refused): Traits<Q, R>,
        weigh: Weigh<Q>,
        work: impl Work<Request = Q, Reply = R>,
    ) -> std::io::Result<(Self, Vec<std::thread::JoinHandle<()>>)> {
        let takers = Takers {
            all: size.workers,
            few: size.workers_few,
            crowd: CROWD,
        };
        let queue = Queue::new(size.queue_max, takers);
        let pace = Pace::new(size.workers);
        let shared = Shared {
            name,
            size,
            queue,
            together,
            weigh,
            refused,
            breaker,
            metrics,
            pace,
            pulse: Pulse::default(),
        };
        let lane = Self {
            shared: Arc::new(shared),
        };
        let work = Arc::new(work);
        let threads = (0..size.workers)
            .map(|number| Worker::spawn(Arc::clone(&lane.shared), Arc::clone(&work), number))
            .collect::<Result<_, _>>()?;
        Ok((lane, threads))
    }

    /// Has `query` executed. The answer is there at `deadline` at the latest.
    ///
    /// # Errors
    /// [`Failure::NotDone`] at once when it cannot be done in time.
    pub(super) async fn call(&self, query: Q, deadline: Instant) -> Result<R, Failure> {
        let now = Instant::now();
        self.admit(now, deadline)
            .map_err(|reason| self.refuse(reason))?;
        let (requests, bytes) = &self.shared.weigh;
        let charge = requests.charge(bytes(&query));
        let charge = charge.ok_or_else(|| self.refuse(Reason::NoMemory))?;
        let (job, ticket) = job(query, charge, now, deadline);
        self.shared.queue.push(job).map_err(|e| match e {
            PushError::Full => self.refuse(Reason::QueueFull),
            PushError::Closed => self.refuse(Reason::Lost),
        })?;
        ticket
            .wait()
            .await
            .inspect_err(|failure| self.tell(failure))
    }

    /// Requests that wait now.
    pub(super) fn depth(&self) -> usize {
        self.shared.queue.len()
    }

    /// Why the lane cannot serve, if it cannot; `patience` is the longest time that a request waits. An idle
    /// lane can, and so can one that has a single worker to spare.
    pub(super) fn trouble(&self, patience: Duration) -> Option<String> {
        let (now, shared) = (Instant::now(), &self.shared);
        let trouble = match shared.pace.is_stalled(now, patience) {
            true => Some(format!(
                "each of its {} workers has waited for the database longer than {patience:?}",
                shared.size.workers
            )),
            false => shared.pulse.trouble(now, patience),
        };
        trouble.map(|why| format!("the {} lane does not serve: {why}", shared.name))
    }

    /// Its name, the time of its last success and the age of its oldest running batch, both in seconds.
    pub(super) fn vitals(&self) -> (&'static str, f64, f64) {
        let shared = &self.shared;
        let oldest = shared.pace.oldest(Instant::now()).as_secs_f64();
        (shared.name, shared.pulse.last_success(), oldest)
    }

    fn admit(&self, now: Instant, deadline: Instant) -> Result<(), Reason> {
        if self.shared.breaker.is_open() {
            return Err(Reason::DatabaseGone);
        }
        let waiting = self.shared.queue.len();
        if waiting == 0 {
            return Ok(());
        }
        let budget = deadline.saturating_duration_since(now);
        let pace = &self.shared.pace;
        if pace.estimated_wait(waiting, self.shared.size) > budget || pace.is_stalled(now, budget) {
            return Err(Reason::TooLate);
        }
        Ok(())
    }

    /// A database that keeps silent makes no batch fail: these are then the only lines.
    fn tell(&self, failure: &Failure) {
        let reason = match failure {
            Failure::NotDone(Reason::Deadline) => Reason::Deadline.name(),
            Failure::Unknown => "unknown",
            _ => return,
        };
        throttled!(
            WARN,
            "requests met their deadline without an answer from the database",
            lane = self.shared.name,
            reason = reason,
            reason = reason
        );
    }

    pub(super) fn refuse(&self, reason: Reason) -> Failure {
        self.shared.metrics.refused(reason);
        throttled!(
            WARN,
            "load shedding: requests are refused at the door",
            lane = self.shared.name,
            reason = reason.name(),
            reason = reason.name(),
            waiting = self.shared.queue.len()
        );
        Failure::NotDone(reason)
    }
}

impl<Q, R> Drop for Lane<Q, R> {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

// === impl Pace ===

impl Pace {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            born: Instant::now(),
            batch_micros: AtomicU64::new(0),
            batch_milli_requests: AtomicU64::new(0),
            kinds: AtomicUsize::new(1),
            busy_since: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn begin(&self, worker: usize, now: Instant) {
        self.busy_since[worker].store(self.micros(now).max(1), Ordering::Relaxed);
    }

    pub(super) fn end(&self, worker: usize, took: Duration, requests: usize) {
        self.busy_since[worker].store(0, Ordering::Relaxed);
        learn(&self.batch_micros, took.as_micros());
        learn(&self.batch_milli_requests, 1000 * requests as u128);
    }

    /// How many kinds of requests the next batch may have: as many as take little time together.
    pub(super) fn kinds(&self) -> usize {
        self.kinds.load(Ordering::Relaxed)
    }

    /// Learns from a batch of so many kinds.
    pub(super) fn learn_kinds(&self, took: Duration, kinds: usize, kinds_max: usize) {
        let now = self.kinds();
        if took > LONG {
            // One that runs out of its time takes the others along, so there are none beside the next.
            let fewer = if took > 10 * LONG { 1 } else { kinds / 2 };
            self.kinds.store(fewer.max(1), Ordering::Relaxed);
        } else if took < LONG / 2 && kinds >= now && now < kinds_max {
            self.kinds.store(now + 1, Ordering::Relaxed);
        }
    }

    /// How long a new request would wait behind `waiting` others, if batches go on as they did.
    fn estimated_wait(&self, waiting: usize, size: LaneSize) -> Duration {
        let served = self.batch_milli_requests.load(Ordering::Relaxed) / 1000;
        let served = usize::try_from(served)
            .unwrap_or(usize::MAX)
            .max(size.batch_least);
        // Those ahead, and the batch of the new one itself.
        let rounds = waiting.div_ceil(served).div_ceil(size.workers) + 1;
        let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
        Duration::from_micros(
            self.batch_micros
                .load(Ordering::Relaxed)
                .saturating_mul(rounds),
        )
    }

    /// Whether every worker has been busy with one attempt for longer than `patience`: then the
    /// database keeps silent, and waiting is hopeless.
    fn is_stalled(&self, now: Instant, patience: Duration) -> bool {
        let now = self.micros(now);
        let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        self.busy_since
            .iter()
            .all(|since| match since.load(Ordering::Relaxed) {
                0 => false,
                since => now.saturating_sub(since) > patience,
            })
    }

    /// The age of the oldest attempt at a batch that runs; zero when all workers are idle.
    fn oldest(&self, now: Instant) -> Duration {
        let busy = self.busy_since.iter();
        let since = busy.map(|since| since.load(Ordering::Relaxed));
        let first = since.filter(|since| *since > 0).min();
        Duration::from_micros(first.map_or(0, |since| self.micros(now).saturating_sub(since)))
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }
}

/// Moves a weighted mean by a 32nd towards a sample: with an eighth, a few slow batches in a row had
/// searches refused that would have been answered in a fifth of their time. An update lost between two
/// workers costs one sample of many.
fn learn(mean: &AtomicU64, sample: u128) {
    let sample = u64::try_from(sample).unwrap_or(u64::MAX);
    let old = mean.load(Ordering::Relaxed);
    mean.store(old - old / 32 + sample / 32, Ordering::Relaxed);
}
