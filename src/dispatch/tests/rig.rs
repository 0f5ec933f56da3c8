//! A lane without threads: the test takes the part of its worker, batch by batch, on tokio's paused clock.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant as StdInstant};

use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;

use crate::budget::Budget;
use crate::dispatch::Claimed;
use crate::dispatch::breaker::{Breaker, Call};
use crate::dispatch::job::{Ticket, job};
use crate::dispatch::lane::Lane;
use crate::dispatch::lane_state::{LaneContext, LaneSpec};
use crate::dispatch::metrics::Families;
use crate::dispatch::outcome::Failure;
use crate::dispatch::pace::LaneSize;
use crate::dispatch::priority::Priority;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::timeline::Timeline;
use crate::dispatch::worker::Worker;
use crate::store::{Class, StoreError};

/// Far enough that no test meets it.
pub(super) const LATER: Duration = Duration::from_secs(30);
pub(super) const SOON: Duration = Duration::from_millis(60);

/// The reply that says that the database refused the request.
pub(super) const REFUSED: u32 = 2 * 66;

pub(super) type Answer = JoinHandle<Result<u32, Failure>>;

/// A lane with one worker, whose batches are large.
pub(super) const SIZE: LaneSize = LaneSize {
    workers: 1,
    base_workers: 1,
    batch_max: 100,
    assumed_batch_min: 100,
    queue_max: 100,
};

/// A batch as its executor got it.
type Sent = (Vec<u32>, StdInstant);

/// A lane of numbers, whose worker records what it sent, and doubles it. Each number takes as many bytes as it says.
pub(super) struct Rig {
    pub(super) lane: Arc<Lane<u32, u32>>,
    pub(super) breaker: Arc<Breaker>,
    pub(super) calls: Receiver<Call>,
    worker: Arc<Worker<Scripted<u32, u32>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Rig {
    /// `script` decides, for the nth execution of these numbers, whether it succeeds.
    pub(super) fn new(
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::sized(SIZE, script)
    }

    /// A lane of searches: equal numbers are one term.
    pub(super) fn searching(
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(SIZE, Some(8), || Ok(()), script, |executor| executor)
    }

    pub(super) fn sized(
        size: LaneSize,
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(size, None, || Ok(()), script, |executor| executor)
    }

    /// `connect` is called for each attempt, before the claim.
    pub(super) fn connecting(
        connect: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static,
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(SIZE, None, connect, script, |executor| executor)
    }

    pub(super) fn with(
        size: LaneSize,
        terms_max: Option<usize>,
        connect: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static,
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
        finish: impl FnOnce(Scripted<u32, u32>) -> Scripted<u32, u32>,
    ) -> Self {
        let sent: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let record = Arc::clone(&sent);
        let executor = Scripted::connecting(connect, move |batch: &Claimed<'_, u32>| {
            let requests: Vec<u32> = batch.requests.iter().map(|n| **n).collect();
            let number = {
                let mut record = record.lock().unwrap();
                record.push((requests.clone(), batch.deadline));
                record.len()
            };
            script(number, &requests)?;
            Ok(requests.iter().map(|n| n * 2).collect())
        });
        Self::executing(size, terms_max, sent, finish(executor))
    }

    /// A lane whose executor records nothing.
    pub(super) fn unrecorded(executor: Scripted<u32, u32>) -> Self {
        Self::executing(SIZE, None, Arc::default(), executor)
    }

    fn executing(
        size: LaneSize,
        terms_max: Option<usize>,
        sent: Arc<Mutex<Vec<Sent>>>,
        executor: Scripted<u32, u32>,
    ) -> Self {
        let (probe, calls) = sync_channel(1);
        let breaker = Arc::new(Breaker::new(probe, LATER));
        let context = LaneContext {
            breaker: Arc::clone(&breaker),
            requests_budget: Budget::new(10_000),
            metrics: Families::register(&mut Registry::default()),
            priority: Arc::new(Priority::new(Box::new(|| false))),
        };
        let spec = LaneSpec {
            name: "test",
            number: 0,
            size,
            terms_max,
            bytes: |bytes: &u32| *bytes as usize,
            refused: |reply| (*reply == REFUSED).then_some(Failure::Rejected),
            yields: terms_max.is_some(),
        };
        let lane = Lane::new(spec, &context);
        let worker = Worker::new(Arc::clone(&lane.state), Arc::new(executor), 0);
        Self {
            lane: Arc::new(lane),
            breaker,
            calls,
            worker: Arc::new(worker),
            sent,
        }
    }

    /// A request whose ticket is in the test's own hands.
    pub(super) fn push(&self, n: u32) -> Ticket<u32> {
        let (now, state) = (Instant::now(), &self.lane.state);
        let charge = state.requests_budget.charge(1).unwrap();
        let (job, ticket) = job(n, charge, now, now + LATER);
        state.queue.push(job).unwrap();
        ticket
    }

    /// A client's request, on its way to its answer when this returns.
    pub(super) async fn submit(&self, n: u32, within: Duration) -> Answer {
        let lane = Arc::clone(&self.lane);
        let answer = tokio::spawn(async move {
            let now = Instant::now();
            lane.call(n, &mut Timeline::new(now, now + within)).await
        });
        yield_now().await;
        answer
    }

    pub(super) async fn submit_all(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<Answer> {
        let mut answers = Vec::new();
        for n in numbers {
            answers.push(self.submit(n, LATER).await);
        }
        answers
    }

    /// Has the worker execute what waits.
    pub(super) fn run_batch(&self) {
        assert!(self.lane.state.queue.len() > 0, "nothing waits");
        assert!(self.worker.run_next_batch());
    }

    /// Has a thread do so that waits while the database is out, by the clock of the test.
    pub(super) fn run_batch_aside(&self) -> thread::JoinHandle<()> {
        let (worker, clock) = (Arc::clone(&self.worker), Handle::current());
        thread::spawn(move || {
            let _clock = clock.enter();
            assert!(worker.run_next_batch());
        })
    }

    /// A request that is alone in its batch.
    pub(super) async fn call(&self, n: u32) -> Result<u32, Failure> {
        let answer = self.submit(n, LATER).await;
        if !answer.is_finished() {
            self.run_batch();
        }
        answer.await.unwrap()
    }

    pub(super) fn batches(&self) -> Vec<Vec<u32>> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(requests, _)| requests.clone()).collect()
    }

    pub(super) fn deadlines(&self) -> Vec<StdInstant> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(_, deadline)| *deadline).collect()
    }
}

/// Waits for what other threads do, while the clock stands still.
pub(super) async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        yield_now().await;
    }
}

/// Fails the first executions with these classes.
pub(super) fn failing(
    classes: &'static [Class],
) -> impl Fn(usize, &[u32]) -> Result<(), StoreError> {
    move |number, _| match classes.get(number - 1) {
        Some(class) => Err(StoreError::of_class(*class)),
        None => Ok(()),
    }
}

/// Fails every execution with this number in it.
pub(super) fn failing_with(
    class: Class,
    bad: u32,
) -> impl Fn(usize, &[u32]) -> Result<(), StoreError> {
    move |_, sent| match sent.contains(&bad) {
        true => Err(StoreError::of_class(class)),
        false => Ok(()),
    }
}
