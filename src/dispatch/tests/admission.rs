//! Admission control and deadlines: what is refused at the door, and what is never sent.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::rig::{LATER, Rig, SIZE, SOON, failing};
use crate::dispatch::coalesce::tests::pauses;
use crate::dispatch::outcome::{Failure, Reason};
use crate::dispatch::pace::LaneSize;
use crate::dispatch::timeline::Timeline;

/// Longer than priority load shedding looks at one queue.
const INTERVAL: Duration = Duration::from_millis(101);

/// A lane with small batches.
fn pairs(queue_max: usize) -> Rig {
    let size = LaneSize {
        batch_max: 2,
        queue_max,
        ..SIZE
    };
    Rig::sized(size, failing(&[]))
}

/// Of sixteen searches at once, those that the lane's queue leaves room for.
fn searches_let_in(rig: &Rig) -> usize {
    let now = Instant::now();
    let searches = (0..16).filter(|_| rig.lane.state.priority.admits(now));
    searches.count()
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let rig = Rig::sized(
        LaneSize {
            queue_max: 2,
            ..SIZE
        },
        failing(&[]),
    );
    let waiting = rig.submit_all([1, 2]).await;
    assert!(!pauses());
    assert_eq!(rig.call(3).await, Err(Failure::NotDone(Reason::QueueFull)));
    assert!(pauses());
    rig.run_batch();
    for (n, answer) in (1..).zip(waiting) {
        assert_eq!(answer.await.unwrap(), Ok(2 * n));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_lane_refuses_and_still_answers_what_waits() {
    let rig = Rig::new(failing(&[]));
    let waiting = rig.submit(1, LATER).await;
    rig.lane.state.queue.close();
    let refused = Err(Failure::NotDone(Reason::ShuttingDown));
    assert_eq!(rig.submit(2, LATER).await.await.unwrap(), refused);
    rig.run_batch();
    assert_eq!(waiting.await.unwrap(), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn requests_wait_within_their_budget_also_when_their_clients_left() {
    let rig = Rig::new(failing(&[]));
    let left = rig.submit(9000, LATER).await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    let refused = Err(Failure::NotDone(Reason::NoMemory));
    assert_eq!(rig.call(2000).await, refused);
    let small = rig.submit(1000, LATER).await;
    rig.run_batch();
    assert_eq!(small.await.unwrap(), Ok(2000));
    assert_eq!(rig.call(10_000).await, Ok(20_000));
}

#[tokio::test(start_paused = true)]
async fn what_waits_until_its_deadline_is_never_sent() {
    let rig = Rig::new(failing(&[]));
    let late = rig.submit(1, SOON).await;
    assert_eq!(late.await.unwrap(), Err(Failure::NotDone(Reason::Deadline)));
    assert_eq!(rig.call(2).await, Ok(4));
    assert_eq!(rig.batches(), [[2]]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_left_is_not_sent() {
    let rig = Rig::new(failing(&[]));
    let left = rig.submit(1, LATER).await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    assert_eq!(rig.call(2).await, Ok(4));
    assert_eq!(rig.batches(), [[2]]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_whose_workers_all_hang_refuses_what_cannot_be_done() {
    let rig = Rig::new(failing(&[]));
    rig.lane.state.pace.begin(0, Instant::now());
    let late = rig.submit(1, SOON).await;
    assert_eq!(late.await.unwrap(), Err(Failure::NotDone(Reason::Deadline)));
    // By now the batch has run for longer than this request would wait.
    let hopeless = rig.submit(2, SOON / 2).await;
    assert_eq!(
        hopeless.await.unwrap(),
        Err(Failure::NotDone(Reason::TooLate))
    );
    assert_eq!(rig.lane.trouble(2 * SOON), None);
    advance(SOON).await;
    let why = rig.lane.trouble(SOON).unwrap();
    assert!(why.contains("each of its 1 workers has waited"), "{why}");
    rig.run_batch();
    assert_eq!(rig.call(3).await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_half_of_the_deadline_is_refused_by_the_pace_of_the_last_batches() {
    let rig = Rig::new(failing(&[]));
    for _ in 0..1000 {
        rig.lane.state.pace.end(0, SOON / 2, 1);
    }
    let first = rig.submit(1, SOON / 2).await;
    let second = rig.submit(2, SOON).await;
    assert_eq!(
        second.await.unwrap(),
        Err(Failure::NotDone(Reason::TooLate)),
        "the batch ahead and the own one take two rounds"
    );
    let third = rig.submit(3, 3 * SOON).await;
    rig.run_batch();
    assert_eq!(first.await.unwrap(), Ok(2));
    assert_eq!(third.await.unwrap(), Ok(6));
}

#[tokio::test(start_paused = true)]
async fn what_would_be_refused_is_shed_before_it_is_parsed() {
    let rig = Rig::sized(
        LaneSize {
            queue_max: 1,
            ..SIZE
        },
        failing(&[]),
    );
    let shed = || {
        let now = Instant::now();
        rig.lane.shed(&mut Timeline::new(now, now + LATER))
    };
    assert_eq!(shed(), Ok(()));
    let waiting = rig.submit(1, LATER).await;
    assert_eq!(shed(), Err(Failure::NotDone(Reason::QueueFull)));
    rig.run_batch();
    assert_eq!(waiting.await.unwrap(), Ok(2));
    assert_eq!(shed(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn most_searches_are_refused_while_other_requests_stand_in_a_queue() {
    let rig = Rig::searching(failing(&[]));
    for _ in 0..4 {
        rig.lane.state.priority.taken(1, SOON, Instant::now());
        advance(INTERVAL).await;
    }
    let mut refused = 0;
    for n in 0..16 {
        match rig.call(n).await {
            Ok(answer) => assert_eq!(answer, 2 * n),
            Err(failure) => {
                assert_eq!(failure, Failure::NotDone(Reason::LowPriority));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 15);
}

#[tokio::test(start_paused = true)]
async fn a_queue_stands_by_the_wait_of_the_newest_request_of_a_full_batch() {
    let rig = pairs(SIZE.queue_max);
    let let_in = || searches_let_in(&rig);
    let old = rig.submit(1, LATER).await;
    advance(SOON).await;
    let new = rig.submit(2, LATER).await;
    rig.run_batch();
    advance(INTERVAL).await;
    assert_eq!(let_in(), 16);
    let both = rig.submit_all([3, 4]).await;
    advance(SOON).await;
    rig.run_batch();
    advance(INTERVAL).await;
    assert_eq!(let_in(), 8);
    let alone = rig.submit(5, LATER).await;
    advance(SOON).await;
    rig.run_batch();
    advance(INTERVAL).await;
    assert_eq!(let_in(), 9);
    for answer in [old, new, alone].into_iter().chain(both) {
        assert!(answer.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_batches_of_an_outage_are_no_queue_that_fewer_searches_would_shorten() {
    let rig = pairs(4);
    rig.breaker.succeeded();
    advance(SOON).await;
    rig.breaker.failed(Instant::now(), "provoked");
    let waited = rig.submit_all([1, 2, 3, 4]).await;
    advance(SOON).await;
    let full = Err(Failure::NotDone(Reason::QueueFull));
    assert_eq!(rig.call(5).await, full);
    rig.breaker.succeeded();
    assert_eq!(rig.call(6).await, full, "the queue is that of the outage");
    rig.run_batch();
    rig.run_batch();
    advance(INTERVAL).await;
    assert_eq!(searches_let_in(&rig), 16);
    // What came afterwards waits for a worker alone.
    let later = rig.submit_all([7, 8]).await;
    advance(SOON).await;
    rig.run_batch();
    advance(INTERVAL).await;
    assert_eq!(searches_let_in(&rig), 8);
    for answer in waited.into_iter().chain(later) {
        assert!(answer.await.unwrap().is_ok());
    }
}

/// Its batches never fill where the queue is smaller than a batch, or where they are so slow that few are let in.
#[tokio::test(start_paused = true)]
async fn a_lane_that_refuses_requests_stands_whatever_its_batches_hold() {
    let small = Rig::sized(
        LaneSize {
            queue_max: 2,
            ..SIZE
        },
        failing(&[]),
    );
    let waiting = small.submit_all([1, 2]).await;
    assert_eq!(
        small.call(3).await,
        Err(Failure::NotDone(Reason::QueueFull))
    );
    small.run_batch();
    advance(INTERVAL).await;
    assert_eq!(searches_let_in(&small), 8);

    let slow = Rig::new(failing(&[]));
    slow.lane.state.pace.end(0, 32 * SOON, 1);
    let first = slow.submit(1, LATER).await;
    let late = slow.submit(2, SOON).await;
    assert_eq!(late.await.unwrap(), Err(Failure::NotDone(Reason::TooLate)));
    slow.run_batch();
    advance(INTERVAL).await;
    assert_eq!(searches_let_in(&slow), 8);
    for answer in waiting.into_iter().chain([first]) {
        assert!(answer.await.unwrap().is_ok());
    }
}

/// A database that keeps silent answers no search either.
#[tokio::test(start_paused = true)]
async fn a_lane_that_hangs_is_no_reason_to_refuse_searches() {
    let rig = Rig::new(failing(&[]));
    rig.lane.state.pace.begin(0, Instant::now());
    let waiting = rig.submit(1, LATER).await;
    advance(SOON).await;
    let hopeless = rig.submit(2, SOON / 2).await;
    assert_eq!(
        hopeless.await.unwrap(),
        Err(Failure::NotDone(Reason::TooLate))
    );
    advance(INTERVAL).await;
    assert_eq!(searches_let_in(&rig), 16);
    rig.run_batch();
    assert_eq!(waiting.await.unwrap(), Ok(2));
}
