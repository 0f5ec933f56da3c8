//! Failures of batches: what is repeated, and what is certain afterwards.

use std::time::Duration;

use super::rig::{Rig, failing};
use crate::dispatch::outcome::{Failure, Reason};
use crate::dispatch::scripted::Scripted;
use crate::store::{Class, StoreError};

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_repeated_at_once() {
    for class in [Class::NotSent, Class::RolledBack, Class::Unknown] {
        let rig = Rig::new(move |number, _| match number {
            1 => Err(StoreError::of_class(class)),
            _ => Ok(()),
        });
        assert_eq!(rig.call(7).await, Ok(14), "{class:?}");
        assert_eq!(rig.batches(), [[7], [7]]);
        assert!(!rig.breaker.is_out());
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_again_and_again_says_what_is_certain() {
    use Class::{NotSent, RolledBack, Unknown};
    let undone = Err(Failure::NotDone(Reason::RolledBack));
    for classes in [
        &[RolledBack, RolledBack][..],
        &[RolledBack, NotSent, RolledBack],
    ] {
        let rig = Rig::new(failing(classes));
        assert_eq!(rig.call(1).await, undone, "{classes:?}");
        assert_eq!(rig.batches().len(), classes.len());
    }
    // Once one attempt is unknown, no later failure makes it certain.
    for classes in [
        &[Unknown, RolledBack, RolledBack][..],
        &[RolledBack, Unknown, RolledBack],
        &[Unknown, NotSent, Unknown, Unknown],
        &[Unknown, Unknown, Unknown],
    ] {
        let rig = Rig::new(failing(classes));
        assert_eq!(rig.call(1).await, Err(Failure::Unknown), "{classes:?}");
        assert_eq!(rig.batches().len(), classes.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_statement_out_of_its_time_is_not_repeated() {
    let rig = Rig::new(failing(&[Class::TooCostly]));
    assert_eq!(rig.call(1).await, Err(Failure::NotDone(Reason::TooCostly)));
    assert_eq!(rig.batches().len(), 1);
}

/// Each of a held table's creates is cut off after the same time, and none of them hangs.
#[tokio::test(start_paused = true)]
async fn batches_out_of_their_time_are_failures_of_a_lane_unless_a_term_may_be_at_fault() {
    let script = |_: usize, _: &[u32]| Err(StoreError::of_class(Class::TooCostly));
    for (rig, at_fault) in [(Rig::new(script), true), (Rig::searching(script), false)] {
        for _ in 0..3 {
            assert_eq!(rig.call(1).await, Err(Failure::NotDone(Reason::TooCostly)));
        }
        let trouble = rig.lane.trouble(Duration::ZERO);
        assert_eq!(trouble.is_some(), at_fault, "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_firm_unless_an_earlier_attempt_is_unknown() {
    let rig = Rig::new(failing(&[]));
    assert_eq!(rig.call(66).await, Err(Failure::Rejected));
    let rig = Rig::new(failing(&[Class::Unknown]));
    assert_eq!(rig.call(66).await, Err(Failure::Unknown));
    assert_eq!(rig.batches(), [[66], [66]]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_after_the_send_is_unknown_and_costs_its_batch_alone() {
    let rig = Rig::new(|_, sent| match sent {
        [1] => panic!("provoked after the send"),
        _ => Ok(()),
    });
    assert_eq!(rig.call(1).await, Err(Failure::Unknown));
    assert_eq!(rig.call(2).await, Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_send_is_certainly_not_done() {
    let rig = Rig::connecting(|| panic!("provoked before the send"), |_, _| Ok(()));
    assert_eq!(rig.call(1).await, Err(Failure::NotDone(Reason::Panicked)));
}

#[tokio::test(start_paused = true)]
async fn a_reply_too_few_is_of_unknown_outcome() {
    let rig = Rig::unrecorded(Scripted::new(|_| Ok(Vec::new())));
    assert_eq!(rig.call(1).await, Err(Failure::Unknown));
}
