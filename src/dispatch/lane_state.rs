//! The lane's queue, estimator and metrics, which its front end and its workers share.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::figures::LaneFigures;
use super::job::Job;
use super::metrics::{Families, LaneMetrics, Vitals};
use super::outcome::Failure;
use super::pace::{LaneSize, Pace};
use super::priority::Priority;
use super::pulse::Pulse;
use super::queue::{Queue, Takers};
use super::terms::Terms;
use crate::budget::Budget;

/// The constants of a lane: a kind of request, and how its lane deals with it.
pub(super) struct LaneSpec<Q, R> {
    /// The name of the lane, in logs and metrics.
    pub(super) name: &'static str,
    /// Its number in [`LANES`](super::timeline::LANES).
    pub(super) number: usize,
    pub(super) size: LaneSize,
    /// Most different terms in one batch, for searches alone; any two requests of another kind share a statement.
    pub(super) terms_max: Option<usize>,
    /// The bytes that a request takes while it waits.
    pub(super) bytes: fn(&Q) -> usize,
    /// The failure of a reply that nothing was stored: no firm answer after an attempt of unknown outcome.
    pub(super) refused: fn(&R) -> Option<Failure>,
    /// Whether requests make room for those of the other lanes, and for their upkeep.
    pub(super) yields: bool,
}

/// The surroundings of a lane, which all lanes have in common.
pub(super) struct LaneContext {
    pub(super) breaker: Arc<Breaker>,
    /// The budget that waiting requests are charged to.
    pub(super) requests_budget: Budget,
    pub(super) metrics: Families,
    pub(super) priority: Arc<Priority>,
}

/// The state of a lane.
pub(super) struct LaneState<Q, R> {
    pub(super) spec: LaneSpec<Q, R>,
    pub(super) queue: Queue<Job<Q, R>>,
    pub(super) requests_budget: Budget,
    pub(super) breaker: Arc<Breaker>,
    pub(super) priority: Arc<Priority>,
    pub(super) metrics: LaneMetrics,
    pub(super) pace: Pace,
    pub(super) pulse: Pulse,
    /// Batch composition; none where any two requests share a statement.
    pub(super) terms: Option<Terms>,
}

/// The jobs of a batch, and the number of their terms where their lane has any.
pub(super) struct Batch<Q, R> {
    pub(super) jobs: Vec<Job<Q, R>>,
    pub(super) terms: Option<usize>,
}

impl<Q, R> LaneState<Q, R> {
    pub(super) fn new(spec: LaneSpec<Q, R>, context: &LaneContext) -> Self {
        let takers = Takers {
            all: spec.size.workers,
            base: spec.size.base_workers,
        };
        Self {
            queue: Queue::new(spec.size.queue_max, takers),
            requests_budget: context.requests_budget.clone(),
            breaker: Arc::clone(&context.breaker),
            priority: Arc::clone(&context.priority),
            metrics: context.metrics.lane(spec.name),
            pace: Pace::new(spec.size.workers),
            pulse: Pulse::default(),
            terms: spec.terms_max.map(Terms::new),
            spec,
        }
    }

    /// Waits for the next batch: all that waits, up to the largest batch, and of searches those for a few terms.
    /// `None` once the lane is closed and empty.
    pub(super) fn next_batch(&self) -> Option<Batch<Q, R>>
    where
        Q: PartialEq,
    {
        let batch_max = self.spec.size.batch_max;
        self.queue.take(|first, waiting| match &self.terms {
            None => {
                let others = (batch_max - 1).min(waiting.len());
                let jobs = iter::once(first).chain(waiting.drain(..others));
                Batch {
                    jobs: jobs.collect(),
                    terms: None,
                }
            }
            Some(terms) => {
                let (jobs, number) = terms.pick(first, waiting, batch_max, |job| &job.request);
                Batch {
                    jobs,
                    terms: Some(number),
                }
            }
        })
    }

    /// A worker has taken a batch, whose last job is its newest.
    pub(super) fn batch_began(&self, jobs: &[Job<Q, R>], now: Instant) {
        self.metrics.batch_began(jobs, now);
        if self.spec.yields {
            return;
        }
        // A batch that is not full took all that waited: nothing stands behind it, however late its worker came.
        let newest = jobs
            .last()
            .filter(|_| jobs.len() >= self.spec.size.batch_max);
        // What waited for the database waited for no processor of it.
        if newest.is_some_and(|job| self.breaker.was_out_since(job.queued_at)) {
            return;
        }
        let waited = newest.map(|job| now.duration_since(job.queued_at));
        (self.priority).taken(self.spec.number, waited.unwrap_or_default(), now);
    }

    /// Learns from a batch of so many requests, and of so many terms where its lane has any.
    pub(super) fn batch_ended(
        &self,
        worker: usize,
        took: Duration,
        requests: usize,
        terms: Option<usize>,
    ) {
        self.pace.end(worker, took, requests);
        if let (Some(of_lane), Some(terms)) = (&self.terms, terms) {
            of_lane.learn(took, terms);
        }
        self.metrics.batch_ended(took);
    }

    pub(super) fn vitals(&self) -> Vitals {
        Vitals {
            lane: self.spec.name,
            size: self.spec.size,
            busy: self.pace.busy(),
            waiting: self.queue.len(),
            last_success_seconds: self.pulse.last_success_seconds(),
            oldest_batch: self.pace.oldest(Instant::now()),
        }
    }

    pub(super) fn figures(&self) -> LaneFigures {
        let (now, (sizes, batch_seconds)) = (self.vitals(), self.metrics.batches());
        let refused = self.metrics.refusals();
        LaneFigures {
            lane: now.lane.to_owned(),
            workers: now.size.workers,
            busy: now.busy,
            waiting: now.waiting,
            queue_max: now.size.queue_max,
            batch_max: now.size.batch_max,
            batches: sizes.count,
            requests: sizes.sum as u64,
            batch_seconds,
            refused: refused
                .map(|(reason, count)| (LaneFigures::reason(reason), count))
                .collect(),
            oldest_batch_seconds: now.oldest_batch.as_secs_f64(),
        }
    }
}
