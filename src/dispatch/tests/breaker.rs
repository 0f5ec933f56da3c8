//! The circuit breaker without lanes: when it opens, and its probe while it is open.

use std::sync::mpsc::sync_channel;

use tokio::time::{Instant, advance};

use super::rig::{LATER, Rig, SOON};
use crate::dispatch::breaker::{Breaker, Call};
use crate::store::{Class, Readiness, StoreError};

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_sent_opens_the_breaker_unless_another_succeeded_meanwhile() {
    let rig = Rig::new(|_, _| Ok(()));
    advance(SOON).await;
    let began = Instant::now();
    advance(SOON).await;
    rig.breaker.succeeded();
    advance(SOON).await;
    rig.breaker.failed(began, "provoked");
    assert!(!rig.breaker.is_open());
    assert!(rig.calls.try_recv().is_err(), "the probe sleeps");
    rig.breaker.failed(Instant::now(), "provoked");
    assert!(rig.breaker.is_open());
    assert!(matches!(rig.calls.try_recv(), Ok(Call::Opened)));
}

/// Half-open: the probe asks until the database answers, with no request at risk and nobody at `/ready`.
#[tokio::test]
async fn an_open_breaker_is_closed_by_its_probe_alone() {
    const ANSWERED: usize = 3;
    let (asked, asks) = sync_channel(100);
    let number = std::cell::Cell::new(0);
    let ask = move || {
        number.set(number.get() + 1);
        let _ = asked.send(number.get());
        match number.get() {
            ANSWERED => Ok(Readiness::default()),
            _ => Err(StoreError::of_class(Class::NotSent)),
        }
    };
    let (breaker, probe) = Breaker::start(Box::new(ask)).unwrap();
    breaker.failed(Instant::now(), "provoked");
    assert!(breaker.is_open());
    for number in 1..=ANSWERED {
        assert_eq!(asks.recv_timeout(LATER), Ok(number));
    }
    // Its turn is after the answer that closes the breaker, and a failure itself.
    assert!(breaker.check(LATER).await.is_err());
    assert!(!breaker.is_open());
    drop(breaker);
    probe.join().unwrap();
}
