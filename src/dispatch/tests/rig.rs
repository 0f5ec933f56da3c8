//! A lane without threads: the test takes the part of its worker, batch by batch, on tokio's paused clock.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;

use crate::budget::Budget;
use crate::dispatch::breaker::{Breaker, Call};
use crate::dispatch::lane::Lane;
use crate::dispatch::metrics::Families;
use crate::dispatch::outcome::Failure;
use crate::dispatch::pace::LaneSize;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::shared::{Common, Kind};
use crate::dispatch::terms::Terms;
use crate::dispatch::worker::Worker;
use crate::store::{Class, StoreError};

/// Far enough that no test meets it.
pub(super) const LATER: Duration = Duration::from_secs(30);
pub(super) const SOON: Duration = Duration::from_millis(60);

/// The reply that says that the database refused the request.
pub(super) const REFUSED: u32 = 2 * 66;

pub(super) type Answer = JoinHandle<Result<u32, Failure>>;

/// A lane of numbers, whose worker records what it sent, and doubles it. Each number takes as many bytes as it says.
pub(super) struct Rig {
    pub(super) lane: Arc<Lane<u32, u32>>,
    pub(super) breaker: Arc<Breaker>,
    worker: Worker<Scripted<u32, u32>>,
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    _calls: Receiver<Call>,
}

impl Rig {
    /// `script` decides, for the nth execution of these numbers, whether it succeeds.
    pub(super) fn new(
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(100, None, script)
    }

    /// A lane of searches: equal numbers are one term.
    pub(super) fn searching(
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(100, Some(Terms::new(8)), script)
    }

    pub(super) fn with(
        queue_max: usize,
        terms: Option<Terms<u32>>,
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&batches);
        let work = Scripted::new(move |sent: &[&u32]| {
            let sent: Vec<u32> = sent.iter().map(|n| **n).collect();
            let number = {
                let mut batches = record.lock().unwrap();
                batches.push(sent.clone());
                batches.len()
            };
            script(number, &sent)?;
            Ok(sent.iter().map(|n| n * 2).collect())
        });
        Self::working(queue_max, terms, batches, work)
    }

    pub(super) fn working(
        queue_max: usize,
        terms: Option<Terms<u32>>,
        batches: Arc<Mutex<Vec<Vec<u32>>>>,
        work: Scripted<u32, u32>,
    ) -> Self {
        let (probe, calls) = sync_channel(1);
        let breaker = Arc::new(Breaker::new(probe));
        let common = Common {
            breaker: Arc::clone(&breaker),
            requests: Budget::new(10_000),
            metrics: Families::register(&mut Registry::default()),
        };
        let kind = Kind {
            name: "test",
            size: LaneSize {
                workers: 1,
                base_workers: 1,
                batch_max: 100,
                assumed_batch_min: 100,
                queue_max,
            },
            terms,
            bytes: |bytes: &u32| *bytes as usize,
            refused: |reply| (*reply == REFUSED).then_some(Failure::Rejected),
        };
        let lane = Lane::new(kind, &common);
        let worker = Worker::new(Arc::clone(&lane.shared), Arc::new(work), 0);
        Self {
            lane: Arc::new(lane),
            breaker,
            worker,
            batches,
            _calls: calls,
        }
    }

    /// A client's request, on its way to its answer when this returns.
    pub(super) async fn submit(&self, n: u32, within: Duration) -> Answer {
        let lane = Arc::clone(&self.lane);
        let answer = tokio::spawn(async move { lane.call(n, Instant::now() + within).await });
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
        assert!(self.lane.shared.queue.len() > 0, "nothing waits");
        assert!(self.worker.next_batch());
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
        self.batches.lock().unwrap().clone()
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
