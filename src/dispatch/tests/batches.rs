//! Natural batching: what shares a batch, and what it costs the others of it.

use std::sync::{Arc, Mutex};

use super::rig::{Rig, SIZE, failing, failing_with};
use crate::dispatch::job::Ticket;
use crate::dispatch::outcome::{Failure, Reason};
use crate::dispatch::pace::LaneSize;
use crate::store::Class;

#[tokio::test(start_paused = true)]
async fn all_that_waits_becomes_one_batch() {
    let rig = Rig::new(failing(&[]));
    let answers = rig.submit_all(1..=10).await;
    rig.run_batch();
    for (n, answer) in (1..).zip(answers) {
        assert_eq!(answer.await.unwrap(), Ok(n * 2));
    }
    assert_eq!(rig.batches(), [(1..=10).collect::<Vec<_>>()]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_no_more_requests_than_it_may() {
    let size = LaneSize {
        batch_max: 2,
        ..SIZE
    };
    let rig = Rig::sized(size, failing(&[]));
    let answers = rig.submit_all(1..=5).await;
    while rig.lane.state.queue.len() > 0 {
        rig.run_batch();
    }
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(rig.batches(), [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test(start_paused = true)]
async fn a_first_batch_of_searches_has_one_term() {
    let rig = Rig::searching(failing(&[]));
    let answers = rig.submit_all([1, 2, 1, 3, 2]).await;
    rig.run_batch();
    // After a quick one, a batch may have two.
    rig.run_batch();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(rig.batches(), [vec![1, 1], vec![2, 3, 2]]);
}

#[tokio::test(start_paused = true)]
async fn one_bad_row_harms_nobody_else() {
    let rig = Rig::new(failing_with(Class::Data, 13));
    let answers = rig.submit_all(10..20).await;
    rig.run_batch();
    for (n, answer) in (10..).zip(answers) {
        let expected = match n {
            13 => Err(Failure::Rejected),
            n => Ok(n * 2),
        };
        assert_eq!(answer.await.unwrap(), expected);
    }
}

/// A lookup that fails stands alone at last; so does a term, which shares its statement with few others.
#[tokio::test(start_paused = true)]
async fn a_read_that_always_fails_harms_no_other_and_says_so() {
    let fails = || failing_with(Class::ReadFailed, 13);
    for rig in [Rig::new(fails()), Rig::searching(fails())] {
        let answers = rig.submit_all(10..16).await;
        while rig.lane.state.queue.len() > 0 {
            rig.run_batch();
        }
        for (n, answer) in (10..).zip(answers) {
            let expected = match n {
                13 => Err(Failure::NotDone(Reason::ReadFailed)),
                n => Ok(n * 2),
            };
            assert_eq!(answer.await.unwrap(), expected);
        }
        assert!(!rig.breaker.is_out());
    }
}

/// A request that stood alone in a statement is to blame for it, and not one that is left alone when it has failed.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_a_failing_batch_leaves_no_blame_behind() {
    let cases = [
        (Class::Data, None),
        (Class::ReadFailed, None),
        (Class::ReadFailed, Some(8)),
        (Class::TooCostly, Some(8)),
    ];
    for (class, terms_max) in cases {
        let leaving: Arc<Mutex<Option<Ticket<u32>>>> = Arc::default();
        let (leaves, fails) = (Arc::clone(&leaving), failing_with(class, 13));
        let script = move |number: usize, sent: &[u32]| {
            drop(leaves.lock().unwrap().take());
            fails(number, sent)
        };
        let rig = Rig::with(SIZE, terms_max, || Ok(()), script, |executor| executor);
        // A batch may have two terms after one that was quick.
        assert_eq!(rig.call(5).await, Ok(10));
        *leaving.lock().unwrap() = Some(rig.push(13));
        let stays = rig.push(2);
        rig.run_batch();
        assert_eq!(stays.wait().await.0, Ok(4), "{class:?}");
        assert_eq!(rig.batches(), [vec![5], vec![13, 2], vec![2]]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_costly_search_harms_no_other_term() {
    let rig = Rig::searching(failing_with(Class::TooCostly, 13));
    // A batch may have two terms after one that was quick.
    assert_eq!(rig.call(5).await, Ok(10));
    let answers = rig.submit_all([13, 2, 13, 2]).await;
    rig.run_batch();
    for (n, answer) in [13, 2, 13, 2].into_iter().zip(answers) {
        let expected = match n {
            13 => Err(Failure::NotDone(Reason::TooCostly)),
            n => Ok(n * 2),
        };
        assert_eq!(answer.await.unwrap(), expected);
    }
    assert_eq!(
        rig.batches(),
        [vec![5], vec![13, 2, 13, 2], vec![13, 13], vec![2, 2]]
    );
}
