//! Lanes with a function in place of the database: what is answered, what is sent, and when.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::lane::{LaneSize, Pace};
use super::queue::Taken;
use super::scripted::Scripted;
use super::*;
use crate::store::{Class, StoreError};

/// Far enough that no test meets it.
const LATER: Duration = Duration::from_secs(30);
/// Near enough to be waited for.
const SOON: Duration = Duration::from_millis(60);

/// The reply that says that the database refused the request.
const REFUSED: u32 = 2 * 66;

type Script = dyn Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync;

/// A lane of numbers whose executor records what it sent and doubles it.
struct Rig {
    lane: Arc<Lane<u32, u32>>,
    breaker: Arc<Breaker>,
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    _calls: std::sync::mpsc::Receiver<probe::Call>,
}

impl Rig {
    /// One worker; `script` decides, for the nth execution of these numbers, whether it succeeds.
    fn new(
        queue_max: usize,
        script: impl Fn(usize, &[u32]) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::with(queue_max, 1, |_, _| true, Box::new(script))
    }

    fn with(
        queue_max: usize,
        kinds_max: usize,
        together: fn(&u32, &u32) -> bool,
        script: Box<Script>,
    ) -> Self {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&batches);
        let work = Scripted::new(move |sent: &[&u32]| {
            let sent: Vec<u32> = sent.iter().copied().copied().collect();
            let number = {
                let mut batches = record.lock().unwrap();
                batches.push(sent.clone());
                batches.len()
            };
            script(number, &sent)?;
            Ok(sent.iter().map(|n| n * 2).collect())
        });
        let (calls, receiver) = sync_channel(1);
        let breaker = Arc::new(Breaker::new(calls));
        let size = LaneSize {
            workers: 1,
            workers_few: 1,
            batch_max: 100,
            kinds_max,
            batch_least: 100,
            queue_max,
        };
        let metrics = Families::register(&mut Registry::default()).lane("test");
        let (lane, _) = Lane::start(
            "test",
            size,
            Arc::clone(&breaker),
            metrics,
            (together, |reply| {
                (*reply == REFUSED).then_some(Failure::Rejected)
            }),
            weigh(),
            work,
        )
        .unwrap();
        Self {
            lane: Arc::new(lane),
            breaker,
            batches,
            _calls: receiver,
        }
    }

    fn spawn(&self, n: u32, within: Duration) -> tokio::task::JoinHandle<Result<u32, Failure>> {
        let lane = Arc::clone(&self.lane);
        tokio::spawn(async move { lane.call(n, Instant::now() + within).await })
    }

    async fn call(&self, n: u32) -> Result<u32, Failure> {
        self.lane.call(n, Instant::now() + LATER).await
    }

    fn batches(&self) -> Vec<Vec<u32>> {
        self.batches.lock().unwrap().clone()
    }

    /// Waits until `n` requests wait in the queue.
    async fn queued(&self, n: usize) {
        while self.lane.depth() != n {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the executor has been called `n` times.
    async fn executed(&self, n: usize) {
        while self.batches().len() != n {
            tokio::task::yield_now().await;
        }
    }
}

/// Each request takes as many bytes as it says.
fn weigh() -> lane::Weigh<u32> {
    (Budget::new(10_000), |bytes| *bytes as usize)
}

/// Holds up the executions whose first number is 0, until the sender is dropped.
fn gate() -> (Sender<()>, Box<Script>) {
    let (open, closed): (Sender<()>, Receiver<()>) = channel();
    let closed = Mutex::new(closed);
    let script = move |_: usize, sent: &[u32]| {
        if sent.first() == Some(&0) {
            let _ = closed.lock().unwrap().recv();
        }
        Ok(())
    };
    (open, Box::new(script))
}

fn failing(classes: &'static [Class]) -> impl Fn(usize, &[u32]) -> Result<(), StoreError> {
    move |number, _| match classes.get(number - 1) {
        Some(class) => Err(StoreError::of_class(*class)),
        None => Ok(()),
    }
}

#[tokio::test]
async fn whatever_waits_becomes_one_batch() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let others: Vec<_> = (1..=10).map(|n| rig.spawn(n, LATER)).collect();
    rig.queued(10).await;
    drop(open);
    assert_eq!(first.await.unwrap(), Ok(0));
    for (n, other) in (1..).zip(others) {
        assert_eq!(other.await.unwrap(), Ok(n * 2));
    }
    assert_eq!(rig.batches().len(), 2);
    assert_eq!(rig.batches()[1].len(), 10);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (open, script) = gate();
    let rig = Rig::new(2, script);
    let _first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let _others = [rig.spawn(1, LATER), rig.spawn(2, LATER)];
    rig.queued(2).await;
    assert_eq!(rig.call(3).await, Err(Failure::NotDone(Reason::QueueFull)));
    drop(open);
}

#[tokio::test]
async fn requests_wait_within_their_budget_also_when_their_clients_left() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let left = rig.spawn(9000, LATER);
    rig.queued(1).await;
    left.abort();
    assert!(left.await.is_err());
    let refused = Err(Failure::NotDone(Reason::NoMemory));
    assert_eq!(rig.call(2000).await, refused);
    let small = rig.spawn(1000, LATER);
    rig.queued(2).await;
    drop(open);
    assert_eq!(first.await.unwrap(), Ok(0));
    assert_eq!(small.await.unwrap(), Ok(2000));
    assert_eq!(rig.call(10_000).await, Ok(20_000));
}

#[tokio::test]
async fn what_waits_until_its_deadline_is_never_sent() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let late = rig.spawn(1, SOON);
    assert_eq!(late.await.unwrap(), Err(Failure::NotDone(Reason::Deadline)));
    let next = rig.spawn(2, LATER);
    rig.queued(2).await;
    drop(open);
    assert_eq!(next.await.unwrap(), Ok(4));
    assert_eq!(first.await.unwrap(), Ok(0));
    assert_eq!(rig.batches(), [vec![0], vec![2]]);
}

#[tokio::test]
async fn what_was_sent_is_unknown_at_its_deadline() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    assert_eq!(rig.spawn(0, SOON).await.unwrap(), Err(Failure::Unknown));
    drop(open);
    assert_eq!(rig.call(1).await, Ok(2));
}

#[tokio::test]
async fn a_client_that_left_is_not_sent() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let gone = rig.spawn(1, LATER);
    rig.queued(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(open);
    assert_eq!(first.await.unwrap(), Ok(0));
    assert_eq!(rig.call(2).await, Ok(4));
    assert!(!rig.batches().concat().contains(&1));
}

#[tokio::test]
async fn a_transient_failure_is_repeated_once() {
    for class in [Class::NotSent, Class::RolledBack, Class::Unknown] {
        let rig = Rig::new(10, move |number, _| match number {
            1 => Err(StoreError::of_class(class)),
            _ => Ok(()),
        });
        assert_eq!(rig.call(7).await, Ok(14), "{class:?}");
        assert_eq!(rig.batches(), [[7], [7]]);
        assert!(!rig.breaker.is_open());
    }
}

#[tokio::test]
async fn two_failures_say_what_is_certain() {
    use Class::{NotSent, RolledBack, Unknown};
    let undone = Err(Failure::NotDone(Reason::RolledBack));
    let rig = Rig::new(10, failing(&[RolledBack, RolledBack]));
    assert_eq!(rig.call(1).await, undone);
    let rig = Rig::new(10, failing(&[NotSent, RolledBack]));
    assert_eq!(rig.call(1).await, undone);
    // Once one attempt is unknown, no later failure makes it certain.
    for classes in [
        &[Unknown, RolledBack],
        &[Unknown, NotSent],
        &[Unknown, Unknown],
    ] {
        let rig = Rig::new(10, failing(classes));
        assert_eq!(rig.call(1).await, Err(Failure::Unknown), "{classes:?}");
    }
    let rig = Rig::new(10, failing(&[RolledBack, Unknown]));
    assert_eq!(rig.call(1).await, Err(Failure::Unknown));
}

#[tokio::test]
async fn a_statement_out_of_its_time_is_not_repeated() {
    let rig = Rig::new(10, failing(&[Class::TooCostly]));
    assert_eq!(rig.call(1).await, Err(Failure::NotDone(Reason::TooCostly)));
    assert_eq!(rig.batches().len(), 1);
}

/// Each of a held table's creates is cut off after the same time, and none of them hangs.
#[tokio::test]
async fn batches_out_of_their_time_are_failures_of_a_lane_unless_a_term_may_be_at_fault() {
    for (kinds_max, at_fault) in [(1, true), (8, false)] {
        let script = |_: usize, _: &[u32]| Err(StoreError::of_class(Class::TooCostly));
        let rig = Rig::with(10, kinds_max, |_, _| true, Box::new(script));
        for _ in 0..3 {
            assert_eq!(rig.call(1).await, Err(Failure::NotDone(Reason::TooCostly)));
        }
        let trouble = loop {
            match rig.lane.trouble(Duration::ZERO) {
                // The worker has answered, and is not idle yet.
                Some(why) if why.contains("has waited") => tokio::task::yield_now().await,
                other => break other,
            }
        };
        assert_eq!(trouble.is_some(), at_fault, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_firm_unless_an_earlier_attempt_is_unknown() {
    let rig = Rig::new(10, failing(&[]));
    assert_eq!(rig.call(66).await, Err(Failure::Rejected));
    let rig = Rig::new(10, failing(&[Class::Unknown]));
    assert_eq!(rig.call(66).await, Err(Failure::Unknown));
    assert_eq!(rig.batches(), [[66], [66]]);
}

/// A lookup that fails stands alone at last; so does a term, which shares its statement with few others.
#[tokio::test]
async fn a_read_that_always_fails_harms_no_other_and_says_so() {
    let different: fn(&u32, &u32) -> bool = |a, b| a == b;
    for (kinds_max, together) in [(1, (|_, _| true) as fn(&u32, &u32) -> bool), (8, different)] {
        let (open, gated) = gate();
        let script = move |number: usize, sent: &[u32]| {
            gated(number, sent)?;
            match sent.contains(&13) {
                true => Err(StoreError::of_class(Class::ReadFailed)),
                false => Ok(()),
            }
        };
        let rig = Rig::with(100, kinds_max, together, Box::new(script));
        let first = rig.spawn(0, LATER);
        rig.executed(1).await;
        let others: Vec<_> = (10..16).map(|n| rig.spawn(n, LATER)).collect();
        rig.queued(6).await;
        drop(open);
        assert_eq!(first.await.unwrap(), Ok(0));
        for (n, other) in (10..).zip(others) {
            let expected = match n {
                13 => Err(Failure::NotDone(Reason::ReadFailed)),
                n => Ok(n * 2),
            };
            assert_eq!(other.await.unwrap(), expected);
        }
        assert!(!rig.breaker.is_open());
    }
}

#[tokio::test]
async fn one_bad_row_harms_nobody_else() {
    let (open, gated) = gate();
    let rig = Rig::new(100, move |number, sent| {
        gated(number, sent)?;
        match sent.contains(&13) {
            true => Err(StoreError::of_class(Class::Data)),
            false => Ok(()),
        }
    });
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let others: Vec<_> = (10..20).map(|n| rig.spawn(n, LATER)).collect();
    rig.queued(10).await;
    drop(open);
    assert_eq!(first.await.unwrap(), Ok(0));
    for (n, other) in (10..).zip(others) {
        match other.await.unwrap() {
            Err(Failure::Rejected) => assert_eq!(n, 13),
            other => assert_eq!(other, Ok(n * 2)),
        }
    }
}

#[tokio::test]
async fn a_panic_costs_its_batch_and_nothing_else() {
    let rig = Rig::new(10, |_, sent| match sent {
        [1] => panic!("provoked after the send"),
        _ => Ok(()),
    });
    assert_eq!(rig.call(1).await, Err(Failure::Unknown));
    assert_eq!(rig.call(2).await, Ok(4));

    let breaker = Arc::clone(&rig.breaker);
    let metrics = Families::register(&mut Registry::default()).lane("test");
    let size = LaneSize {
        workers: 1,
        workers_few: 1,
        batch_max: 1,
        kinds_max: 1,
        batch_least: 1,
        queue_max: 1,
    };
    let work = Scripted::<u32, u32>::connecting(
        || panic!("provoked before the send"),
        |_| unreachable!("there is no connection"),
    );
    let (lane, _) = Lane::start(
        "test",
        size,
        breaker,
        metrics,
        (|_, _| true, |_| None),
        weigh(),
        work,
    )
    .unwrap();
    let answer = lane.call(1, Instant::now() + LATER).await;
    assert_eq!(answer, Err(Failure::NotDone(Reason::Lost)));
}

#[tokio::test]
async fn only_what_may_go_together_shares_a_batch() {
    let (open, script) = gate();
    let rig = Rig::with(100, 1, |a, b| a == b, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    let others: Vec<_> = [1, 2, 1, 3, 2]
        .into_iter()
        .map(|n| rig.spawn(n, LATER))
        .collect();
    rig.queued(5).await;
    drop(open);
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    let mut batches = rig.batches();
    batches.sort();
    assert_eq!(batches, [vec![0], vec![1, 1], vec![2, 2], vec![3]]);
}

#[tokio::test]
async fn a_lane_whose_workers_all_hang_refuses_what_cannot_be_done() {
    let (open, script) = gate();
    let rig = Rig::new(100, script);
    let first = rig.spawn(0, LATER);
    rig.executed(1).await;
    assert_eq!(
        rig.spawn(1, SOON).await.unwrap(),
        Err(Failure::NotDone(Reason::Deadline))
    );
    // By now the batch has run for longer than this request would wait.
    assert_eq!(
        rig.spawn(2, SOON / 2).await.unwrap(),
        Err(Failure::NotDone(Reason::TooLate))
    );
    drop(open);
    assert_eq!(first.await.unwrap(), Ok(0));
}

#[tokio::test]
async fn a_database_that_is_gone_is_probed_and_not_queued_for() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let fails = {
        let down = Arc::clone(&down);
        move || match down.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(StoreError::of_class(Class::NotSent)),
            false => Ok(()),
        }
    };
    let sends = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&sends);
    let find = Scripted::connecting(fails.clone(), move |sent: &[&Lookup]| {
        count.fetch_add(sent.len(), std::sync::atomic::Ordering::SeqCst);
        Ok(sent.iter().map(|_| Found::Count(1)).collect())
    });
    let ready = Readiness {
        schema_version: 7,
        ..Readiness::default()
    };
    let executors = Executors {
        create: Scripted::new(|rows| Ok(rows.iter().map(|_| Created::Stored).collect())),
        find,
        search: Scripted::new(|terms| Ok(terms.iter().map(|_| Some(Bytes::new())).collect())),
        probe: Box::new(move || fails().map(|()| ready)),
    };
    let sizes = Sizes {
        workers_create: 1,
        workers_find: 1,
        workers_search: 1,
        pool_min: 0,
        batch_max: 10,
        queue_max: 10,
        connections_max: 10,
    };
    let (dispatch, threads) = Dispatch::start(
        &sizes,
        executors,
        &Budget::new(1 << 20),
        &mut Registry::default(),
    )
    .unwrap();
    let count = || dispatch.count(Instant::now() + LATER);
    let gone = Failure::NotDone(Reason::DatabaseGone);
    assert_eq!(count().await.err(), Some(gone.clone()));
    // The breaker holds for every lane, also for one that would work.
    let search = dispatch
        .search("t".to_owned(), Instant::now() + LATER)
        .await;
    assert_eq!(search.err(), Some(gone));
    assert!(dispatch.readiness(LATER).await.is_err());
    assert_eq!(sends.load(std::sync::atomic::Ordering::SeqCst), 0);

    down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(dispatch.readiness(LATER).await, Ok(ready));
    assert_eq!(count().await, Ok(1));
    drop(dispatch);
    assert!(threads.join(LATER));
}

#[test]
fn a_queue_gives_all_that_waits_and_then_ends() {
    let queue = queue::Queue::new(3, takers(1, 1));
    for n in [1, 2, 3] {
        assert_eq!(queue.push(n), Ok(()));
    }
    assert_eq!(queue.push(4), Err(queue::PushError::Full));
    assert_eq!(queue.take(2, 1, |_, _| true), taken(vec![1, 2], 1));
    queue.close();
    assert_eq!(queue.push(5), Err(queue::PushError::Closed));
    assert_eq!(queue.take(2, 1, |_, _| true), taken(vec![3], 1));
    assert_eq!(queue.take(2, 1, |_, _| true), None);
}

#[test]
fn a_free_taker_leaves_few_items_to_a_busy_one_but_not_for_long() {
    let queue = Arc::new(queue::Queue::new(100, takers(2, 1)));
    let (taken, batches) = channel();
    let (open, gate) = channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let threads = [(); 2].map(|()| {
        let (queue, taken, gate) = (Arc::clone(&queue), taken.clone(), Arc::clone(&gate));
        std::thread::spawn(move || {
            while let Some(Taken { items: batch, .. }) = queue.take(100, 1, |_, _| true) {
                let hangs = batch.contains(&0);
                taken.send((Instant::now(), batch)).unwrap();
                if hangs {
                    let _ = gate.lock().unwrap().recv();
                }
            }
        })
    });
    let next = || batches.recv_timeout(LATER).unwrap();

    queue.push(0).unwrap();
    assert_eq!(next().1, [0]);
    // The busy taker never comes back for these; the free one waits for it, and then takes all.
    let pushed = Instant::now();
    for n in [1, 2, 3] {
        queue.push(n).unwrap();
    }
    let (at, mut found) = next();
    assert!(at - pushed >= queue::PATIENCE);
    // Nothing is left behind, be it few or a crowd.
    while found.len() < 3 {
        found.extend(next().1);
    }
    for n in 4..50 {
        queue.push(n).unwrap();
    }
    while found.len() < 49 {
        found.extend(next().1);
    }
    assert_eq!(found, (1..50).collect::<Vec<_>>());

    drop(open);
    queue.close();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_batch_has_no_more_kinds_than_it_may() {
    let queue = queue::Queue::new(10, takers(1, 1));
    for n in [1, 2, 3, 1, 4, 2, 3] {
        assert_eq!(queue.push(n), Ok(()));
    }
    let take = |kinds_max| queue.take(10, kinds_max, |a, b| a == b);
    assert_eq!(take(2), taken(vec![1, 2, 1, 2], 2));
    assert_eq!(take(3), taken(vec![3, 4, 3], 2));
}

/// The lock is also the front end's: what a taker does under it must not grow with the queue.
#[test]
fn a_taker_looks_at_a_bounded_part_of_a_long_queue() {
    const LONG_QUEUE: u32 = 100_000;
    let queue = queue::Queue::new(LONG_QUEUE as usize, takers(1, 1));
    for n in 0..LONG_QUEUE {
        // The two of a kind are far apart: the second 0 comes last.
        queue.push(if n == LONG_QUEUE - 1 { 0 } else { n }).unwrap();
    }
    let looks = std::cell::Cell::new(0);
    let take = || {
        looks.set(0);
        let batch = queue.take(128, 8, |a, b| {
            looks.set(looks.get() + 1);
            a == b
        });
        batch.unwrap().items
    };
    // What was passed over keeps its place.
    assert_eq!(take(), (0..8).collect::<Vec<_>>());
    assert!(looks.get() <= 8 * 1024, "{}", looks.get());
    assert_eq!(take(), (8..16).collect::<Vec<_>>());
    assert!(looks.get() <= 8 * 1024, "{}", looks.get());
    assert_eq!(queue.len(), LONG_QUEUE as usize - 16);
}

#[test]
fn a_batch_may_have_more_kinds_while_they_are_quick() {
    let pace = Pace::new(1);
    let quick = Duration::from_millis(1);
    assert_eq!(pace.kinds(), 1);
    for n in [2, 3, 4, 4] {
        pace.learn_kinds(quick, pace.kinds(), 4);
        assert_eq!(pace.kinds(), n);
    }
    // One that was not full says nothing about a larger one.
    pace.learn_kinds(Duration::from_millis(21), 4, 8);
    assert_eq!(pace.kinds(), 2);
    pace.learn_kinds(quick, 1, 8);
    assert_eq!(pace.kinds(), 2);
    pace.learn_kinds(Duration::from_secs(2), 1, 8);
    assert_eq!(pace.kinds(), 1);
}

#[tokio::test]
async fn a_costly_request_harms_no_other_kind() {
    let (open, gated) = gate();
    let rig = Rig::with(
        100,
        2,
        |a, b| a == b,
        Box::new(move |number, sent| {
            gated(number, sent)?;
            match sent.contains(&13) {
                true => Err(StoreError::of_class(Class::TooCostly)),
                false => Ok(()),
            }
        }),
    );
    // A batch may have two kinds after one that was quick.
    assert_eq!(rig.call(5).await, Ok(10));
    let first = rig.spawn(0, LATER);
    rig.executed(2).await;
    let others: Vec<_> = [13, 2, 13, 2].map(|n| rig.spawn(n, LATER)).into();
    rig.queued(4).await;
    drop(open);
    first.await.unwrap().unwrap();
    for (n, other) in [13, 2, 13, 2].into_iter().zip(others) {
        match other.await.unwrap() {
            Err(Failure::NotDone(Reason::TooCostly)) => assert_eq!(n, 13),
            other => assert_eq!(other, Ok(n * 2)),
        }
    }
}

fn taken(items: Vec<u32>, kinds: usize) -> Option<Taken<u32>> {
    Some(Taken { items, kinds })
}

fn takers(all: usize, few: usize) -> queue::Takers {
    queue::Takers {
        all,
        few,
        crowd: 32,
    }
}
