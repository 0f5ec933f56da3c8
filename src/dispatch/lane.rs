//! A lane: one kind of request, its bounded queue, its workers, and the admission control at its door.
//!
//! Load is shed at the door: a request whose queue is full, whose wait would outlast its deadline, or whose database is
//! gone, is refused at once. A request that was let in waits until its deadline at the longest.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::Instant;

use super::job::job;
use super::metrics::Vitals;
use super::outcome::{Failure, Reason};
use super::queue::PushError;
use super::shared::{Common, Kind, Shared};
use super::work::Work;
use super::worker::Worker;
use crate::throttle::throttled;

/// One kind of request, its bounded queue and its workers.
pub(super) struct Lane<Q, R> {
    pub(super) shared: Arc<Shared<Q, R>>,
}

impl<Q: Send + 'static, R: Send + 'static> Lane<Q, R> {
    pub(super) fn new(kind: Kind<Q, R>, common: &Common) -> Self {
        Self {
            shared: Arc::new(Shared::new(kind, common)),
        }
    }

    /// Starts the lane's workers; they end when the lane is dropped and its queue is empty.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(
        &self,
        work: impl Work<Request = Q, Reply = R>,
    ) -> io::Result<Vec<JoinHandle<()>>> {
        let work = Arc::new(work);
        (0..self.shared.kind.size.workers)
            .map(|number| Worker::new(Arc::clone(&self.shared), Arc::clone(&work), number).spawn())
            .collect()
    }

    /// Has `request` executed. The answer is there at `deadline` at the latest.
    ///
    /// # Errors
    /// [`Failure::NotDone`] at once when it cannot be done in time.
    pub(super) async fn call(&self, request: Q, deadline: Instant) -> Result<R, Failure> {
        let now = Instant::now();
        self.admit(now, deadline)
            .map_err(|reason| self.refuse(reason))?;
        let charge = self
            .shared
            .requests
            .charge((self.shared.kind.bytes)(&request));
        let charge = charge.ok_or_else(|| self.refuse(Reason::NoMemory))?;
        let (job, ticket) = job(request, charge, now, deadline);
        self.shared.queue.push(job).map_err(|e| match e {
            PushError::Full => self.refuse(Reason::QueueFull),
            PushError::Closed => self.refuse(Reason::ShuttingDown),
        })?;
        ticket
            .wait()
            .await
            .inspect_err(|failure| self.log_silence(failure))
    }

    /// Why the lane cannot serve, if it cannot; `deadline` is the longest time that a request waits. An idle
    /// lane can, and so can one that has a single worker to spare.
    pub(super) fn trouble(&self, deadline: Duration) -> Option<String> {
        let (now, shared) = (Instant::now(), &self.shared);
        let trouble = match shared.pace.is_stalled(now, deadline) {
            true => Some(format!(
                "each of its {} workers has waited for the database longer than {deadline:?}",
                shared.kind.size.workers
            )),
            false => shared.pulse.trouble(now, deadline),
        };
        trouble.map(|why| format!("the {} lane does not serve: {why}", shared.kind.name))
    }

    /// A view of the lane for metrics, as long as its workers live.
    pub(super) fn vitals(&self) -> impl Fn() -> Option<Vitals> + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move || shared.upgrade().map(|shared| shared.vitals())
    }

    /// Admission control.
    fn admit(&self, now: Instant, deadline: Instant) -> Result<(), Reason> {
        let shared = &self.shared;
        if shared.breaker.is_open() {
            return Err(Reason::DatabaseGone);
        }
        let waiting = shared.queue.len();
        if waiting == 0 {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(now);
        let estimated = shared.pace.estimated_wait(waiting, shared.kind.size);
        if estimated > left || shared.pace.is_stalled(now, left) {
            return Err(Reason::TooLate);
        }
        Ok(())
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
            lane = self.shared.kind.name,
            reason = reason,
            reason = reason
        );
    }

    /// Sheds a request.
    pub(super) fn refuse(&self, reason: Reason) -> Failure {
        self.shared.metrics.refused(reason);
        throttled!(
            WARN,
            "load shedding: requests are refused at the door",
            lane = self.shared.kind.name,
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
