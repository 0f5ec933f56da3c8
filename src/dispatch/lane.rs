//! A lane: one kind of request, its bounded queue, its workers, and the admission control at its door.
//!
//! Load is shed at the door: a request whose queue is full, whose wait would outlast half of its deadline, or whose
//! database has been gone for long, is refused at once, and a part of the searches while other lanes, or their upkeep in the
//! database, have too much to do.
//! The other half is for a pace that slackens meanwhile: a refusal at the deadline has cost its client all of that time. A
//! request that was let in waits until its deadline at the longest.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::Instant;

use super::coalesce;
use super::executor::Executor;
use super::job::job;
use super::lane_state::{LaneContext, LaneSpec, LaneState};
use super::outcome::{Failure, Reason};
use super::queue::PushError;
use super::timeline::Timeline;
use super::worker::Worker;
use crate::throttle::throttled;

/// One kind of request, its bounded queue and its workers.
pub(super) struct Lane<Q, R> {
    pub(super) state: Arc<LaneState<Q, R>>,
}

impl<Q: PartialEq + Send + 'static, R: Send + 'static> Lane<Q, R> {
    /// A lane without workers.
    pub(super) fn new(spec: LaneSpec<Q, R>, context: &LaneContext) -> Self {
        Self {
            state: Arc::new(LaneState::new(spec, context)),
        }
    }

    /// A lane with workers, which are added to `threads`; they end when the lane is dropped and its queue is empty.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(
        spec: LaneSpec<Q, R>,
        context: &LaneContext,
        executor: impl Executor<Request = Q, Reply = R>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let lane = Self::new(spec, context);
        let executor = Arc::new(executor);
        for number in 0..lane.state.spec.size.workers {
            let worker = Worker::new(Arc::clone(&lane.state), Arc::clone(&executor), number);
            threads.push(worker.spawn()?);
        }
        Ok(lane)
    }

    /// Sheds a request before it is parsed. Refusals must cost far less than answers: above the capacity they come on top
    /// of it, and take the processors that answers need.
    ///
    /// # Errors
    /// As those of [`Self::call`] that are known without the request.
    pub(super) fn shed(&self, timeline: &mut Timeline) -> Result<(), Failure> {
        let now = Instant::now();
        self.admit(now, timeline.deadline).map_err(|reason| {
            timeline.came(self.state.spec.number, now);
            self.refuse(reason)
        })
    }

    /// Has `request` executed. The answer is there at its deadline at the latest, and its times in `timeline`.
    ///
    /// # Errors
    /// [`Failure::NotDone`] at once when it cannot be done in time.
    pub(super) async fn call(&self, request: Q, timeline: &mut Timeline) -> Result<R, Failure> {
        let (now, deadline) = (Instant::now(), timeline.deadline);
        timeline.came(self.state.spec.number, now);
        self.admit(now, deadline)
            .map_err(|reason| self.refuse(reason))?;
        let bytes = (self.state.spec.bytes)(&request);
        let charge = self.state.requests_budget.charge(bytes);
        let charge = charge.ok_or_else(|| self.refuse(Reason::NoMemory))?;
        let (job, ticket) = job(request, charge, now, deadline);
        self.state.queue.push(job).map_err(|e| match e {
            PushError::Full => self.refuse(Reason::QueueFull),
            PushError::Closed => self.refuse(Reason::ShuttingDown),
        })?;
        let (result, in_lane) = ticket.wait().await;
        timeline.left(in_lane);
        // It waited for a database that did not come back in time.
        let result = result.map_err(|failure| match failure {
            Failure::NotDone(Reason::Deadline) if self.state.breaker.is_out() => {
                Failure::NotDone(Reason::DatabaseGone)
            }
            other => other,
        });
        result.inspect_err(|failure| self.log_silence(failure))
    }

    /// Why the lane cannot serve, if it cannot; `deadline` is the longest time that a request waits. An idle
    /// lane can, and so can one that has a single worker to spare.
    pub(super) fn trouble(&self, deadline: Duration) -> Option<String> {
        let (now, state) = (Instant::now(), &self.state);
        let trouble = match state.pace.is_stalled(now, deadline) {
            true => Some(format!(
                "each of its {} workers has waited for the database longer than {deadline:?}",
                state.spec.size.workers
            )),
            false => state.pulse.trouble(now, deadline),
        };
        trouble.map(|why| format!("the {} lane does not serve: {why}", state.spec.name))
    }

    /// Admission control.
    fn admit(&self, now: Instant, deadline: Instant) -> Result<(), Reason> {
        let state = &self.state;
        if state.breaker.is_open(now) {
            return Err(Reason::DatabaseGone);
        }
        let waiting = state.queue.len();
        if waiting > 0 {
            self.admit_behind(waiting, now, deadline)?;
        }
        // Last, since a search that is let in once a second should get to its queue.
        match state.spec.yields && !state.priority.admits(now) {
            true => Err(Reason::LowPriority),
            false => Ok(()),
        }
    }

    /// Admission control by the queue, in which so many wait.
    fn admit_behind(&self, waiting: usize, now: Instant, deadline: Instant) -> Result<(), Reason> {
        let state = &self.state;
        let left = deadline.saturating_duration_since(now);
        let stalled = state.pace.is_stalled(now, left);
        let refused = if waiting >= state.spec.size.queue_max {
            Reason::QueueFull
        } else if stalled || state.pace.estimated_wait(waiting, state.spec.size) > left / 2 {
            Reason::TooLate
        } else {
            return Ok(());
        };
        // What has waited out an outage is gone from the queue a deadline after its end.
        if !(state.spec.yields || stalled || state.breaker.was_out_since(now - left)) {
            state.priority.refused(now);
        }
        Err(refused)
    }

    /// A database that keeps silent makes no batch fail: these are then the only lines.
    fn log_silence(&self, failure: &Failure) {
        let reason = match failure {
            Failure::NotDone(Reason::Deadline) => Reason::Deadline.name(),
            Failure::Unknown => "unknown",
            _ => return,
        };
        throttled!(
            WARN,
            "requests met their deadline without an answer from the database",
            lane = self.state.spec.name,
            reason = reason,
            reason = reason
        );
    }

    /// Sheds a request.
    pub(super) fn refuse(&self, reason: Reason) -> Failure {
        self.state.metrics.refused(reason);
        coalesce::refused();
        throttled!(
            WARN,
            "load shedding: requests are refused at the door",
            lane = self.state.spec.name,
            reason = reason.name(),
            reason = reason.name(),
            waiting = self.state.queue.len()
        );
        Failure::NotDone(reason)
    }
}

impl<Q, R> Drop for Lane<Q, R> {
    fn drop(&mut self) {
        self.state.queue.close();
    }
}
