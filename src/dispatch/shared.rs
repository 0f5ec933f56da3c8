//! The state of a lane that its front end and its workers share.

use std::sync::Arc;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::job::Job;
use super::metrics::{Families, LaneMetrics, Vitals};
use super::outcome::Failure;
use super::pace::{LaneSize, Pace};
use super::pulse::Pulse;
use super::queue::{Queue, Takers};
use super::terms::Terms;
use crate::budget::Budget;

/// A kind of request, and how its lane deals with it.
pub(super) struct Kind<Q, R> {
    /// The name of the lane, in logs and metrics.
    pub(super) name: &'static str,
    pub(super) size: LaneSize,
    /// For searches alone; any two requests of another kind share a statement.
    pub(super) terms: Option<Terms<Q>>,
    /// The bytes that a request takes while it waits.
    pub(super) bytes: fn(&Q) -> usize,
    /// The failure of a reply that nothing was stored: no firm answer after an attempt of unknown outcome.
    pub(super) refused: fn(&R) -> Option<Failure>,
}

/// The state that all lanes share.
pub(super) struct Common {
    pub(super) breaker: Arc<Breaker>,
    /// The budget that waiting requests are charged to.
    pub(super) requests: Budget,
    pub(super) metrics: Families,
}

/// One lane.
pub(super) struct Shared<Q, R> {
    pub(super) kind: Kind<Q, R>,
    pub(super) queue: Queue<Job<Q, R>>,
    pub(super) requests: Budget,
    pub(super) breaker: Arc<Breaker>,
    pub(super) metrics: LaneMetrics,
    pub(super) pace: Pace,
    pub(super) pulse: Pulse,
}

impl<Q, R> Shared<Q, R> {
    pub(super) fn new(kind: Kind<Q, R>, common: &Common) -> Self {
        let takers = Takers {
            all: kind.size.workers,
            base: kind.size.base_workers,
        };
        Self {
            queue: Queue::new(kind.size.queue_max, takers),
            requests: common.requests.clone(),
            breaker: Arc::clone(&common.breaker),
            metrics: common.metrics.lane(kind.name),
            pace: Pace::new(kind.size.workers),
            pulse: Pulse::default(),
            kind,
        }
    }

    /// Waits for the next batch: all that waits, up to the largest batch, and of searches those for a few terms. Also
    /// says of how many terms it is. `None` once the lane is closed and empty.
    pub(super) fn next_batch(&self) -> Option<(Vec<Job<Q, R>>, usize)> {
        let batch_max = self.kind.size.batch_max;
        self.queue.take(|waiting| match &self.kind.terms {
            None => (waiting.drain(..batch_max.min(waiting.len())).collect(), 1),
            Some(terms) => terms.pick(waiting, batch_max, |job| &job.request),
        })
    }

    pub(super) fn vitals(&self) -> Vitals {
        Vitals {
            lane: self.kind.name,
            waiting: self.queue.len(),
            last_success_seconds: self.pulse.last_success_seconds(),
            oldest_batch: self.pace.oldest(Instant::now()),
        }
    }
}
