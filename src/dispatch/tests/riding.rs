//! Riding through an outage, on a driven clock: how long a batch waits, and what its wait says about its lane.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{Instant, advance};

use super::rig::{LATER, Rig, SIZE, SOON, until};
use crate::dispatch::outcome::{Failure, Reason};
use crate::store::{Class, StoreError};

/// A lane whose database has answered, and lets nobody in after so many connections, until the breaker hears otherwise.
async fn rig_without_connections_after(connections: usize, first: Option<Class>) -> Rig {
    let connected = AtomicUsize::new(0);
    let connect = move || match connected.fetch_add(1, Ordering::SeqCst) {
        // Two attempts in vain are an outage.
        n if (connections..connections + 2).contains(&n) => {
            Err(StoreError::of_class(Class::NotSent))
        }
        _ => Ok(()),
    };
    let rig = Rig::connecting(connect, move |number, _| match first {
        Some(class) if number == 1 => Err(StoreError::of_class(class)),
        _ => Ok(()),
    });
    rig.breaker.succeeded();
    advance(SOON).await;
    rig
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_sent_when_the_database_is_back_and_its_wait_is_not_the_lane_s_pace() {
    let rig = rig_without_connections_after(0, None).await;
    let answers = rig.submit_all([1, 2]).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    advance(LATER / 2 - SOON).await;
    assert_eq!(rig.batches(), [[0; 0]; 0], "nothing is sent meanwhile");
    rig.breaker.succeeded();
    for (n, answer) in (1..).zip(answers) {
        until(|| answer.is_finished()).await;
        assert_eq!(answer.await.unwrap(), Ok(2 * n));
    }
    worker.join().unwrap();
    assert_eq!(rig.batches(), [[1, 2]]);
    let pace = rig.lane.state.pace.estimated_wait(1, SIZE);
    assert!(pace < SOON, "{pace:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sent_at_its_deadline_is_never_sent() {
    let rig = rig_without_connections_after(0, None).await;
    let late = rig.submit(1, SOON).await;
    let waits = rig.submit(2, LATER).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    advance(SOON).await;
    until(|| late.is_finished()).await;
    let gone = Err(Failure::NotDone(Reason::DatabaseGone));
    assert_eq!(late.await.unwrap(), gone);
    rig.breaker.succeeded();
    until(|| waits.is_finished()).await;
    assert_eq!(waits.await.unwrap(), Ok(4));
    worker.join().unwrap();
    assert_eq!(rig.batches(), [[2]]);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_stored_stays_unknown_when_the_database_is_not_back_in_time() {
    let rig = rig_without_connections_after(1, Some(Class::Unknown)).await;
    let answer = rig.submit(7, SOON).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    advance(SOON).await;
    until(|| answer.is_finished()).await;
    assert_eq!(answer.await.unwrap(), Err(Failure::Unknown));
    // Nobody waits for the batch any more, so its worker goes on.
    worker.join().unwrap();
    assert_eq!(rig.batches(), [[7]]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_during_an_outage_is_not_sent() {
    let rig = rig_without_connections_after(0, None).await;
    let leaves = rig.submit(1, LATER).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    worker.join().unwrap();
    assert_eq!(rig.batches(), [[0; 0]; 0]);
}

/// Those that were let in wait on, since the database may be back before their deadlines.
#[tokio::test(start_paused = true)]
async fn an_outage_older_than_half_a_deadline_is_refused_at_the_door_alone() {
    let rig = rig_without_connections_after(0, None).await;
    let young = rig.submit(1, LATER).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    advance(LATER / 2).await;
    let refused = Err(Failure::NotDone(Reason::DatabaseGone));
    assert_eq!(rig.call(2).await, refused);
    assert!(!young.is_finished());
    rig.breaker.succeeded();
    until(|| young.is_finished()).await;
    assert_eq!(young.await.unwrap(), Ok(2));
    worker.join().unwrap();
    assert_eq!(rig.call(2).await, Ok(4));
    assert_eq!(rig.batches(), [[1], [2]]);
}

/// The clients of an outage have their own answer: no lane is at fault.
#[tokio::test(start_paused = true)]
async fn batches_that_wait_in_vain_are_no_trouble_of_their_lane() {
    let rig = rig_without_connections_after(0, None).await;
    for n in 0..4 {
        let answer = rig.submit(n, SOON).await;
        let worker = rig.run_batch_aside();
        until(|| rig.breaker.is_out()).await;
        advance(SOON).await;
        until(|| answer.is_finished()).await;
        worker.join().unwrap();
    }
    assert_eq!(rig.lane.trouble(SOON), None);
}

/// Nothing brings it back to this process, so nobody waits for it, also not in another lane.
#[tokio::test(start_paused = true)]
async fn a_database_that_is_given_up_is_not_waited_for() {
    for (class, answered) in [
        (Class::NotSent, Failure::NotDone(Reason::DatabaseGone)),
        (Class::Unknown, Failure::Unknown),
    ] {
        let rig = Rig::new(move |_, _| Err(StoreError::given_up(class, "provoked")));
        rig.breaker.succeeded();
        advance(SOON).await;
        let began = Instant::now();
        assert_eq!(rig.call(1).await, Err(answered));
        assert_eq!(Instant::now(), began, "{class:?}");
        assert_eq!(rig.batches(), [[1]], "{class:?}: it is not sent again");
        rig.breaker.succeeded();
        let refused = Err(Failure::NotDone(Reason::DatabaseGone));
        assert_eq!(rig.call(2).await, refused, "{class:?}: at the door");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_out_an_outage_is_answered_once_the_database_is_given_up() {
    let rig = rig_without_connections_after(0, None).await;
    let waits = rig.submit(1, LATER).await;
    let worker = rig.run_batch_aside();
    until(|| rig.breaker.is_out()).await;
    rig.breaker.give_up("provoked");
    until(|| waits.is_finished()).await;
    let gone = Err(Failure::NotDone(Reason::DatabaseGone));
    assert_eq!(waits.await.unwrap(), gone);
    worker.join().unwrap();
}
