//! Natural batching: a worker is a plain thread that takes all that waits in its lane, and executes it as one batch.
//!
//! No request waits for a batch to fill, so batches grow only as the load grows. A batch is run in three steps: connect,
//! claim (queued becomes sent, with a live connection in hand), run. A batch that fails is repeated where the reason is
//! transient, and split or grouped where one request may be at fault. While the database cannot be reached, its worker
//! keeps it, and goes on when the breaker's probe has an answer.

use std::cell::Cell;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::time::Instant;

use super::attempts::Attempts;
use super::executor::{Claimed, Executor};
use super::job::Job;
use super::lane_state::{Batch, LaneState};
use super::outcome::{Failure, Reason};
use super::terms::by_term;
use super::timeline::Stopwatch;
use crate::store::{Class, StoreError};
use crate::throttle::{panic_message, throttled};

/// Longest time until a batch that waits for the database notices that its clients have left, or that their time is over.
const RECHECK_INTERVAL: Duration = Duration::from_millis(50);
/// The pause before another attempt where other batches get the connections that this one does not.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Worker<E: Executor> {
    lane: Arc<LaneState<E::Request, E::Reply>>,
    executor: Arc<E>,
    number: usize,
}

/// An attempt that failed.
struct Failed {
    error: StoreError,
    /// One request, or one term, was alone in the statement.
    alone: bool,
}

type Jobs<E> = Vec<Job<<E as Executor>::Request, <E as Executor>::Reply>>;

impl<E: Executor> Worker<E> {
    pub(super) fn new(
        lane: Arc<LaneState<E::Request, E::Reply>>,
        executor: Arc<E>,
        number: usize,
    ) -> Self {
        Self {
            lane,
            executor,
            number,
        }
    }

    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn spawn(self) -> io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name(format!("{}-{}", self.lane.spec.name, self.number))
            .spawn(move || while self.run_next_batch() {})
    }

    /// Waits for a batch and executes it. False once the lane is closed and empty.
    pub(super) fn run_next_batch(&self) -> bool {
        let Some(Batch { jobs, terms }) = self.lane.next_batch() else {
            return false;
        };
        let (began, requests) = (Instant::now(), jobs.len());
        self.lane.batch_began(&jobs, began);
        let watch = Stopwatch::start(began);
        // The jobs of a batch that panics are dropped, and each ticket says what the state of its job allows. The
        // connection goes too: it was marked as broken beforehand.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.process(jobs, &watch))) {
            self.lane.metrics.panicked();
            throttled!(
                ERROR,
                "a worker panicked and goes on",
                lane = self.lane.spec.name,
                reason = "panic",
                panic = panic_message(&*panic)
            );
        }
        let worked = watch.worked(Instant::now());
        (self.lane).batch_ended(self.number, worked, requests, terms);
        true
    }

    /// Executes a batch, again where the reason is transient, in halves if one of them is bad.
    fn process(&self, mut jobs: Jobs<E>, watch: &Stopwatch) {
        let began = Instant::now();
        let mut attempts = Attempts::default();
        // An attempt that found an outage is a part of the wait for its end.
        let mut waits_since = began;
        while self.waits_out(&mut jobs, waits_since, watch) {
            let attempted = Instant::now();
            let Err(Failed { error, alone }) = self.attempt(&mut jobs, watch) else {
                return;
            };
            if error.is_given_up() {
                self.lane.breaker.give_up(&error.to_string());
            }
            let now = Instant::now();
            jobs.retain(|job| job.is_wanted(now));
            let last = attempts.failed(error.class, attempted);
            self.log(&error, jobs.len(), last);
            // A search may cost too much by its term. No row and no id does: there it is the database that is slow.
            let has_terms = self.lane.terms.is_some();
            let failed = match error.class {
                Class::Data => false,
                Class::TooCostly => !has_terms,
                _ => last || jobs.is_empty(),
            };
            if failed {
                self.lane.pulse.failed(began, error.to_string());
            }
            waits_since = now;
            if let Some(since) = attempts.no_connection_since(jobs.is_empty()) {
                if self.found_none(since, &error) {
                    waits_since = attempted;
                } else if !jobs.is_empty() {
                    attempts.forget_not_sent();
                    thread::sleep(RETRY_PAUSE);
                    waits_since = Instant::now();
                }
            }
            match error.class {
                Class::Data => return self.split(jobs, alone, Failure::Rejected, watch),
                // Many lookups ask for different rows, of which one may be at fault.
                Class::ReadFailed if !has_terms => {
                    let failure = Failure::NotDone(Reason::ReadFailed);
                    return self.split(jobs, alone, failure, watch);
                }
                Class::ReadFailed => {
                    return self.retry_separately(jobs, alone, Reason::ReadFailed, watch);
                }
                Class::TooCostly => {
                    return self.retry_separately(jobs, alone, Reason::TooCostly, watch);
                }
                Class::RolledBack if last => {
                    return self.retry_separately(jobs, alone, Reason::RolledBack, watch);
                }
                Class::Unknown if last => {
                    return jobs
                        .into_iter()
                        .for_each(|j| j.fail(Failure::Unknown, watch));
                }
                Class::NotSent | Class::RolledBack | Class::Unknown => {}
            }
        }
    }

    /// Waits for the end of an outage, which the batch has met at `since`, with the batch in hand. False when nobody waits
    /// for the batch any more.
    fn waits_out(&self, jobs: &mut Jobs<E>, since: Instant, watch: &Stopwatch) -> bool {
        let breaker = &self.lane.breaker;
        loop {
            let now = Instant::now();
            jobs.retain(|job| job.is_wanted(now));
            let is_out = breaker.is_out();
            if is_out && !breaker.has_answered() {
                fail_all(mem::take(jobs), Reason::DatabaseGone, watch);
            }
            if jobs.is_empty() || !is_out {
                watch.waited(now - since);
                return !jobs.is_empty();
            }
            breaker.await_end(RECHECK_INTERVAL);
        }
    }

    /// Tells the breaker of a batch that found no connection. Whether there is an outage.
    fn found_none(&self, since: Instant, error: &StoreError) -> bool {
        let breaker = &self.lane.breaker;
        breaker.failed(since, &error.to_string());
        breaker.is_out()
    }

    /// Executes a batch once. Answers every job on success, takes the answered and the unwanted
    /// ones out of `jobs`, and leaves the others in the state that the failure implies.
    fn attempt(&self, jobs: &mut Jobs<E>, watch: &Stopwatch) -> Result<(), Failed> {
        self.lane.pace.begin(self.number, Instant::now());
        let mut places = Vec::with_capacity(jobs.len());
        match self.execute(jobs, &mut places, watch) {
            Ok(replies) => {
                if !places.is_empty() {
                    self.lane.breaker.succeeded();
                    self.lane.pulse.succeeded();
                }
                let mut replies = places.iter().zip(replies).peekable();
                for (i, job) in jobs.drain(..).enumerate() {
                    let Some((_, reply)) = replies.next_if(|(place, _)| **place == i) else {
                        continue;
                    };
                    match (self.lane.spec.refused)(&reply) {
                        Some(failure) => self.fail(job, failure, watch),
                        None => job.succeed(reply, watch),
                    }
                }
                Ok(())
            }
            Err(error) => {
                let alone = self.is_alone(jobs, &places);
                for job in jobs.iter_mut() {
                    match error.class {
                        Class::Unknown => job.doubt(),
                        _ => job.unclaim(),
                    }
                }
                Err(Failed { error, alone })
            }
        }
    }

    /// Whether the jobs at `places`, those of one statement, are one request, or ask for one term.
    fn is_alone(&self, jobs: &Jobs<E>, places: &[usize]) -> bool {
        let mut requests = places.iter().map(|place| &jobs[*place].request);
        let first = requests.next();
        match self.lane.terms {
            Some(_) => requests.all(|request| Some(request) == first),
            None => requests.next().is_none(),
        }
    }

    /// Connects, claims, runs. The replies are those of the jobs at `places`; the connection is back in its pool
    /// before any of them is answered.
    fn execute(
        &self,
        jobs: &[Job<E::Request, E::Reply>],
        places: &mut Vec<usize>,
        watch: &Stopwatch,
    ) -> Result<Vec<E::Reply>, StoreError> {
        let session = self.executor.connect();
        let now = Instant::now();
        watch.connected(now);
        let session = session?;
        let batch = claim(jobs, places, now);
        if batch.requests.is_empty() {
            return Ok(Vec::new());
        }
        let replies = self.executor.run(session, &batch);
        watch.ran(Instant::now(), batch.rendering.get());
        let replies = replies?;
        match replies.len() == places.len() {
            true => Ok(replies),
            false => Err(StoreError::wrong_number(replies.len(), places.len())),
        }
    }

    /// Re-runs each term's searches alone, so that one failing search does not fail the rest. A term that was already
    /// alone in its statement has failed, and so has a batch without terms. (The time that it took is lost: terms that come
    /// after one that runs out of its time again may be too late.)
    fn retry_separately(&self, jobs: Jobs<E>, alone: bool, reason: Reason, watch: &Stopwatch) {
        if alone || self.lane.terms.is_none() {
            return fail_all(jobs, reason, watch);
        }
        for group in by_term(jobs) {
            self.process(group, watch);
        }
    }

    /// Bisection: one bad row must harm no other. Halves until it stands alone in its statement, and fails as `failure`
    /// says. Clients that leave meanwhile may leave a good one alone.
    fn split(&self, mut jobs: Jobs<E>, alone: bool, failure: Failure, watch: &Stopwatch) {
        if alone {
            for job in jobs {
                self.fail(job, failure.clone(), watch);
            }
            return;
        }
        let right = jobs.split_off(jobs.len() / 2);
        for half in [jobs, right] {
            self.process(half, watch);
        }
    }

    fn fail(&self, job: Job<E::Request, E::Reply>, failure: Failure, watch: &Stopwatch) {
        if failure == Failure::Rejected {
            self.lane.metrics.row_rejected();
        }
        job.fail(failure, watch);
    }

    fn log(&self, error: &StoreError, jobs: usize, last: bool) {
        self.lane.metrics.failed(error.class);
        // The failure that decides the answers is a kind of its own.
        let attempt = if last { "for good" } else { "repeated" };
        let code = error.sqlstate().unwrap_or(error.class.name());
        throttled!(
            WARN,
            "a batch failed",
            lane = self.lane.spec.name,
            reason = format!("{code}, {attempt}"),
            class = ?error.class,
            sqlstate = error.sqlstate(),
            jobs,
            last,
            error = %error
        );
    }
}

/// Marks the jobs that are still wanted as sent, and notes their places in the batch.
fn claim<'j, Q, R>(jobs: &'j [Job<Q, R>], places: &mut Vec<usize>, now: Instant) -> Claimed<'j, Q> {
    let (mut requests, mut deadline) = (Vec::with_capacity(jobs.len()), now);
    for (i, job) in jobs.iter().enumerate().filter(|(_, job)| job.claim(now)) {
        places.push(i);
        requests.push(&job.request);
        deadline = deadline.max(job.deadline);
    }
    Claimed {
        rendering: Cell::default(),
        requests,
        deadline: deadline.into_std(),
    }
}

fn fail_all<Q, R>(jobs: Vec<Job<Q, R>>, reason: Reason, watch: &Stopwatch) {
    for job in jobs {
        job.fail(Failure::NotDone(reason), watch);
    }
}
