//! Job state machine: a request is queued, sent, done or abandoned, and a claim is the step from queued to sent.
//!
//! The worker holds the [`Job`], the front end its [`Ticket`]; their shared atomic state decides which answers each of
//! them may give. `sent` is entered only with a live connection in hand, so a ticket that still finds `queued` at its
//! deadline can promise that nothing was, or will be, stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::outcome::{Failure, Reason};
use super::timeline::{InLane, Progress, Stopwatch};
use crate::budget::Charge;

const QUEUED: u8 = 0;
const SENT: u8 = 1;
const DONE: u8 = 2;
const ABANDONED: u8 = 3;

/// The worker's half.
pub(super) struct Job<Q, R> {
    pub(super) request: Q,
    /// For the bytes of the request. A client that leaves does not take its job out of the queue.
    charge: Charge,
    pub(super) queued_at: Instant,
    pub(super) deadline: Instant,
    /// An earlier attempt may have been executed: the answer can no longer be "certainly not".
    unknown: bool,
    state: Arc<State>,
    reply: oneshot::Sender<Timed<R>>,
}

/// The front end's half. A job whose ticket is dropped is not wanted any more.
pub(super) struct Ticket<R> {
    queued_at: Instant,
    deadline: Instant,
    state: Arc<State>,
    reply: oneshot::Receiver<Timed<R>>,
}

struct State {
    is: AtomicU8,
    progress: Progress,
}

/// A result, and where the time until then went.
type Timed<R> = (Result<R, Failure>, InLane);

pub(super) fn job<Q, R>(
    request: Q,
    charge: Charge,
    now: Instant,
    deadline: Instant,
) -> (Job<Q, R>, Ticket<R>) {
    let state = Arc::new(State {
        is: AtomicU8::new(QUEUED),
        progress: Progress::default(),
    });
    let (sender, receiver) = oneshot::channel();
    let job = Job {
        request,
        charge,
        queued_at: now,
        deadline,
        unknown: false,
        state: Arc::clone(&state),
        reply: sender,
    };
    (
        job,
        Ticket {
            queued_at: now,
            deadline,
            state,
            reply: receiver,
        },
    )
}

// === impl Job ===

impl<Q, R> Job<Q, R> {
    /// A worker has taken the job; gives the time that it waited.
    pub(super) fn taken(&self, now: Instant) -> Duration {
        let waited = now.duration_since(self.queued_at);
        self.state.progress.taken(waited);
        waited
    }

    /// Claims the job: it counts as sent. False when its client waits no longer: it must not be sent then, and once the
    /// front end has answered that it was not, it cannot be.
    pub(super) fn claim(&self, now: Instant) -> bool {
        let claimed = self.is_wanted(now) && (self.state.swap(QUEUED, SENT) || self.unknown);
        if claimed {
            let after = now.duration_since(self.queued_at);
            self.state.progress.claimed(after);
        }
        claimed
    }

    /// Whether an answer could still be used.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        now < self.deadline && !self.reply.is_closed()
    }

    /// Takes a claim back: the statement certainly had no effect.
    pub(super) fn unclaim(&self) {
        if !self.unknown {
            self.state.swap(SENT, QUEUED);
        }
    }

    /// Records that the statement may have had its effect. A job that was never claimed was not
    /// part of it.
    pub(super) fn doubt(&mut self) {
        self.unknown |= self.state.get() == SENT;
    }

    /// Answers with a result.
    pub(super) fn succeed(self, reply: R, watch: &Stopwatch) {
        self.answer(Ok(reply), watch);
    }

    /// Answers with a failure, or with "unknown" where an earlier attempt forbids a firm no.
    pub(super) fn fail(self, failure: Failure, watch: &Stopwatch) {
        let failure = if self.unknown {
            Failure::Unknown
        } else {
            failure
        };
        self.answer(Err(failure), watch);
    }

    fn answer(self, result: Result<R, Failure>, watch: &Stopwatch) {
        // Before its client can send the next request, which needs the room.
        drop(self.charge);
        self.state.set_done();
        // The front end may have answered by itself, or its client may have left.
        let _ = self.reply.send((result, watch.of(self.queued_at)));
    }
}

// === impl Ticket ===

impl<R> Ticket<R> {
    /// Waits for the answer, until the deadline at the longest. Also gives where the time until then went.
    pub(super) async fn wait(mut self) -> Timed<R> {
        let result = match timeout_at(self.deadline, &mut self.reply).await {
            Ok(result) => result,
            Err(_) if self.state.swap(QUEUED, ABANDONED) => {
                return self.given_up(Failure::NotDone(Reason::Deadline));
            }
            // The worker has made its answer in this very moment: it is on its way.
            Err(_) if self.state.get() == DONE => (&mut self.reply).await,
            Err(_) => return self.given_up(Failure::Unknown),
        };
        result.unwrap_or_else(|_| self.given_up(self.dropped()))
    }

    fn given_up(&self, failure: Failure) -> Timed<R> {
        let after = self.queued_at.elapsed();
        (Err(failure), self.state.progress.given_up(after))
    }

    /// Whether the worker has made its answer.
    #[cfg(test)]
    pub(super) fn is_answered(&self) -> bool {
        self.state.get() == DONE
    }

    /// The job was dropped without an answer: its time was over, or its worker panicked.
    fn dropped(&self) -> Failure {
        match self.state.get() {
            SENT => Failure::Unknown,
            _ if Instant::now() >= self.deadline => Failure::NotDone(Reason::Deadline),
            _ => Failure::NotDone(Reason::Panicked),
        }
    }
}

// === impl State ===

impl State {
    /// Changes the state if it is `from`; says whether it was.
    fn swap(&self, from: u8, to: u8) -> bool {
        self.is
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn get(&self) -> u8 {
        self.is.load(Ordering::Acquire)
    }

    fn set_done(&self) {
        self.is.store(DONE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    const SOON: Duration = Duration::from_millis(60);

    fn queued() -> (Job<u32, u32>, Ticket<u32>) {
        let now = Instant::now();
        let charge = Budget::new(10_000).charge(1).unwrap();
        job(7, charge, now, now + SOON)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_is_unknown_at_its_deadline() {
        let (job, ticket) = queued();
        assert!(job.claim(Instant::now()));
        assert_eq!(ticket.wait().await.0, Err(Failure::Unknown));
        job.succeed(14, &Stopwatch::start(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_queued_at_its_deadline_is_never_sent() {
        let (job, ticket) = queued();
        let before = Instant::now();
        let late = Err(Failure::NotDone(Reason::Deadline));
        assert_eq!(ticket.wait().await.0, late);
        assert!(!job.claim(before), "even by a clock that is late");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_made_at_the_deadline_is_given() {
        let (job, ticket) = queued();
        assert!(job.claim(Instant::now()));
        job.state.set_done();
        let answered = tokio::spawn(ticket.wait());
        tokio::time::sleep(2 * SOON).await;
        let _ = job.reply.send((Ok(14), InLane::default()));
        assert_eq!(answered.await.unwrap().0, Ok(14));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_sent_for_a_client_that_left_is_not_tried_again() {
        let (job, ticket) = queued();
        assert!(job.claim(Instant::now()));
        drop(ticket);
        job.unclaim();
        assert!(!job.is_wanted(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_its_worker_drops_at_the_deadline_was_too_late_and_no_panic() {
        let (job, ticket) = queued();
        tokio::time::advance(SOON).await;
        drop(job);
        let late = Err(Failure::NotDone(Reason::Deadline));
        assert_eq!(ticket.wait().await.0, late);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_has_passed_is_no_time_to_send() {
        let (job, _ticket) = queued();
        assert!(!job.claim(Instant::now() + SOON));
    }
}
