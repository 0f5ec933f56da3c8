//! The circuit breaker without lanes: when an outage begins, when it opens the breaker, and its probe meanwhile.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::rig::{LATER, Rig, SOON};
use crate::dispatch::breaker::Call;
use crate::dispatch::probe;
use crate::store::{Class, Readiness, StoreError};

const INSTANT: Duration = Duration::from_micros(1);

#[tokio::test(start_paused = true)]
async fn a_batch_without_a_connection_begins_an_outage_unless_another_succeeded_meanwhile() {
    let rig = Rig::new(|_, _| Ok(()));
    advance(SOON).await;
    let began = Instant::now();
    advance(SOON).await;
    rig.breaker.succeeded();
    advance(SOON).await;
    rig.breaker.failed(began, "provoked");
    assert!(!rig.breaker.is_out());
    assert!(rig.calls.try_recv().is_err(), "the probe sleeps");
    rig.breaker.failed(Instant::now(), "provoked");
    assert!(rig.breaker.is_out());
    assert!(matches!(rig.calls.try_recv(), Ok(Call::Outage)));
    // The lanes that find out later leave the asking to it.
    rig.breaker.failed(Instant::now(), "provoked");
    assert!(rig.calls.try_recv().is_err(), "one call is enough");
}

#[tokio::test(start_paused = true)]
async fn an_outage_opens_the_breaker_once_it_is_as_old_as_half_a_deadline() {
    let rig = Rig::new(|_, _| Ok(()));
    rig.breaker.succeeded();
    advance(SOON).await;
    let began = Instant::now();
    advance(SOON).await;
    rig.breaker.failed(began, "provoked");
    assert_eq!(rig.breaker.outage(Instant::now()), SOON);
    assert!(!rig.breaker.is_open(began + LATER / 2 - INSTANT));
    assert!(rig.breaker.is_open(began + LATER / 2));
    advance(LATER).await;
    rig.breaker.succeeded();
    assert!(!rig.breaker.is_out());
    assert!(rig.breaker.outage(Instant::now()).is_zero());
    // The next outage is another one.
    advance(SOON).await;
    rig.breaker.failed(Instant::now(), "provoked");
    assert!(!rig.breaker.is_open(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_has_never_answered_is_not_waited_for() {
    let rig = Rig::new(|_, _| Ok(()));
    advance(SOON).await;
    rig.breaker.failed(Instant::now(), "provoked");
    assert!(rig.breaker.is_open(Instant::now()));
}

/// A load balancer takes out a server that is not ready, and all servers have the same database.
#[tokio::test(start_paused = true)]
async fn a_check_fails_when_requests_are_refused_and_not_before() {
    let rig = Rig::new(|_, _| Ok(()));
    let silence = rig.breaker.check(SOON).await.unwrap_err();
    assert!(silence.contains("no answer"), "{silence}");
    // The probe keeps silent, and the database has answered a batch a moment ago.
    rig.breaker.succeeded();
    while rig.calls.try_recv().is_ok() {}
    assert_eq!(rig.breaker.check(SOON).await, Ok(None));
    advance(LATER / 2).await;
    while rig.calls.try_recv().is_ok() {}
    assert!(rig.breaker.check(SOON).await.is_err());
    // An outage is known at once, without the probe.
    rig.breaker.succeeded();
    advance(SOON).await;
    let began = Instant::now();
    rig.breaker.failed(began, "provoked");
    assert_eq!(rig.breaker.check(LATER).await, Ok(None));
    assert_eq!(Instant::now(), began);
    advance(LATER / 2).await;
    while rig.calls.try_recv().is_ok() {}
    assert!(rig.breaker.check(SOON).await.is_err());
}

/// Half-open: the probe asks until the database answers, with no request at risk and nobody at `/ready`.
#[tokio::test]
async fn an_outage_is_ended_by_the_probe_alone() {
    const ANSWERED: usize = 3;
    let (asked, asks) = sync_channel(100);
    let number = std::cell::Cell::new(0);
    let ask = move |_| {
        number.set(number.get() + 1);
        let _ = asked.send(number.get());
        match number.get() {
            ANSWERED => Ok(Readiness::default()),
            _ => Err(StoreError::of_class(Class::NotSent)),
        }
    };
    let (breaker, probe) = probe::start(Box::new(ask), LATER).unwrap();
    breaker.failed(Instant::now(), "provoked");
    assert!(breaker.is_open(Instant::now()));
    for number in 1..=ANSWERED {
        assert_eq!(asks.recv_timeout(LATER), Ok(number));
    }
    // Its turn is after the answer that ends the outage, and begins another one, which requests wait out.
    assert_eq!(breaker.check(LATER).await, Ok(None));
    assert!(breaker.is_out() && !breaker.is_open(Instant::now()));
    drop(breaker);
    probe.join().unwrap();
}

/// Without its probe no outage would end; and what refuses a statement has answered.
#[tokio::test]
async fn the_probe_outlives_a_panic_and_takes_an_error_for_an_answer() {
    let (asked, asks) = sync_channel(100);
    let number = std::cell::Cell::new(0);
    let ask = move |_| {
        number.set(number.get() + 1);
        let _ = asked.send(number.get());
        match number.get() {
            1 => panic!("provoked"),
            2 => Err(StoreError::of_class(Class::NotSent)),
            _ => Err(StoreError::of_class(Class::RolledBack)),
        }
    };
    let (breaker, probe) = probe::start(Box::new(ask), LATER).unwrap();
    breaker.failed(Instant::now(), "provoked");
    for number in 1..=3 {
        assert_eq!(asks.recv_timeout(LATER), Ok(number));
    }
    // Its turn is after that answer.
    assert!(breaker.check(LATER).await.is_err());
    assert!(!breaker.is_out());
    drop(breaker);
    probe.join().unwrap();
}

/// A connection that is given up early is lost for nothing while the database is only slow.
#[tokio::test]
async fn the_probe_hurries_in_an_outage_alone() {
    let (asked, asks) = sync_channel(100);
    let ask = move |time| {
        let _ = asked.send(time);
        Ok(Readiness::default())
    };
    let (breaker, probe) = probe::start(Box::new(ask), LATER).unwrap();
    breaker.check(LATER).await.unwrap();
    let calm = asks.recv_timeout(LATER).unwrap();
    breaker.failed(Instant::now() + SOON, "provoked");
    let hurried = asks.recv_timeout(LATER).unwrap();
    assert_eq!((calm.as_millis(), hurried.as_millis()), (2500, 500));
    drop(breaker);
    probe.join().unwrap();
}
