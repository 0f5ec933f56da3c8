//! Connect, claim, run: the order of a batch's steps, and what its executor and its lane know of it.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use tokio::time::Instant;

use super::rig::{LATER, Rig, SIZE, SOON};
use crate::dispatch::job::Ticket;
use crate::dispatch::lane_state::LaneState;
use crate::dispatch::outcome::Failure;
use crate::store::{Class, StoreError};

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_its_worker_connects_is_not_sent() {
    for others in [vec![], vec![2]] {
        let leaving: Arc<Mutex<Option<Ticket<u32>>>> = Arc::default();
        let connecting = Arc::clone(&leaving);
        let leave = move || {
            drop(connecting.lock().unwrap().take());
            Ok(())
        };
        let rig = Rig::connecting(leave, |_, _| Ok(()));
        *leaving.lock().unwrap() = Some(rig.push(1));
        let staying: Vec<_> = others.iter().map(|n| rig.push(*n)).collect();
        rig.run_batch();
        assert!(leaving.lock().unwrap().is_none(), "it left");
        for ticket in staying {
            assert_eq!(ticket.wait().await.0, Ok(4));
        }
        let sent: Vec<_> = Some(others).into_iter().filter(|b| !b.is_empty()).collect();
        assert_eq!(rig.batches(), sent);
    }
}

/// The next batch needs the connection, and it comes as soon as the clients of this one have their answers.
#[tokio::test(start_paused = true)]
async fn a_connection_is_released_before_any_answer() {
    let (log, ticket) = (Arc::new(Mutex::new(Vec::new())), Arc::new(OnceLock::new()));
    let step = |name: &'static str| {
        let (log, ticket) = (Arc::clone(&log), Arc::clone(&ticket));
        move || {
            let answered = ticket.get().is_some_and(Ticket::<u32>::is_answered);
            log.lock().unwrap().push((name, answered));
        }
    };
    let (connect, run, release) = (step("connect"), step("run"), step("release"));
    let connect = move || {
        connect();
        Ok(())
    };
    let script = move |_: usize, _: &[u32]| {
        run();
        Ok(())
    };
    let rig = Rig::with(SIZE, None, connect, script, |executor| {
        executor.disconnecting(release)
    });
    assert!(ticket.set(rig.push(1)).is_ok());
    rig.run_batch();
    step("end")();
    let steps = [
        ("connect", false),
        ("run", false),
        ("release", false),
        ("end", true),
    ];
    assert_eq!(*log.lock().unwrap(), steps);
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_the_latest_deadline_of_those_that_it_sends() {
    let rig = Rig::new(|_, _| Ok(()));
    let now = Instant::now();
    let mut answers = Vec::new();
    for (n, within) in [(1, SOON), (2, 3 * SOON), (3, 2 * SOON)] {
        answers.push(rig.submit(n, within).await);
    }
    let left = answers.remove(1);
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    rig.run_batch();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(rig.batches(), [[1, 3]]);
    assert_eq!(rig.deadlines(), [(now + 2 * SOON).into_std()]);
}

/// A worker that hangs in its retry holds up its lane as much as in its first attempt.
#[tokio::test(start_paused = true)]
async fn a_worker_is_busy_from_each_attempt_on_and_idle_after_its_batch() {
    let lane: Arc<OnceLock<Weak<LaneState<u32, u32>>>> = Arc::default();
    let stalled = Arc::new(Mutex::new(Vec::new()));
    let (running, seen) = (Arc::clone(&lane), Arc::clone(&stalled));
    let rig = Rig::new(move |number, _| {
        let pace = &running.get().unwrap().upgrade().unwrap().pace;
        let later = Instant::now() + 2 * SOON;
        seen.lock().unwrap().push(pace.is_stalled(later, SOON));
        // The second attempt begins anew.
        pace.end(0, SOON, 1);
        match number {
            1 => Err(StoreError::of_class(Class::RolledBack)),
            _ => Ok(()),
        }
    });
    assert!(lane.set(Arc::downgrade(&rig.lane.state)).is_ok());
    assert_eq!(rig.call(1).await, Ok(2));
    assert_eq!(*stalled.lock().unwrap(), [true, true]);

    let rig = Rig::new(|_, _| Err(StoreError::of_class(Class::Unknown)));
    assert_eq!(rig.call(1).await, Err(Failure::Unknown));
    let pace = &rig.lane.state.pace;
    assert!(pace.oldest(Instant::now() + LATER).is_zero());
}
