//! A database that has never answered, with all lanes, their threads and the probe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::rig::LATER;
use crate::budget::{Budget, Bytes};
use crate::config::Sizes;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::{
    Claimed, Dispatch, Executors, Failure, Lookup, LookupReply, Reason, Timeline,
};
use crate::store::{Class, Created, NewRow, Readiness, StoreError};

#[tokio::test]
async fn a_database_that_is_gone_is_probed_and_not_queued_for() {
    let down = Arc::new(AtomicBool::new(true));
    let connect = {
        let down = Arc::clone(&down);
        move || match down.load(Ordering::SeqCst) {
            true => Err(StoreError::of_class(Class::NotSent)),
            false => Ok(()),
        }
    };
    let probe = connect.clone();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let ready = Readiness {
        schema_version: 7,
        ..Readiness::default()
    };
    let executors = Executors {
        create: Scripted::new(|batch: &Claimed<'_, NewRow>| {
            Ok(batch.requests.iter().map(|_| Created::Stored).collect())
        }),
        find: Scripted::connecting(connect, move |batch: &Claimed<'_, Lookup>| {
            counted.fetch_add(batch.requests.len(), Ordering::SeqCst);
            Ok(batch
                .requests
                .iter()
                .map(|_| LookupReply::Count(1))
                .collect())
        }),
        search: Scripted::new(|batch: &Claimed<'_, String>| {
            Ok(batch.requests.iter().map(|_| Some(Bytes::new())).collect())
        }),
        probe: Box::new(move |_| probe().map(|()| ready)),
        is_behind: Box::new(|| false),
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
    let requests_budget = Budget::new(1 << 20);
    let (dispatch, threads) = Dispatch::start(
        &sizes,
        executors,
        LATER,
        &requests_budget,
        &mut Registry::default(),
    )
    .unwrap();
    let later = || {
        let now = Instant::now();
        Timeline::new(now, now + LATER)
    };
    let count = async || dispatch.count(&mut later()).await;
    let gone = Failure::NotDone(Reason::DatabaseGone);
    assert_eq!(count().await, Err(gone.clone()));
    // The breaker holds for every lane, also for one that would work.
    let mut timeline = later();
    let search = dispatch.search("t".to_owned(), &mut timeline);
    assert_eq!(search.await.err(), Some(gone));
    assert!(dispatch.readiness(LATER).await.is_err());
    assert_eq!(sent.load(Ordering::SeqCst), 0);

    down.store(false, Ordering::SeqCst);
    assert_eq!(dispatch.readiness(LATER).await, Ok(Some(ready)));
    assert_eq!(count().await, Ok(1));
    drop(dispatch);
    assert!(threads.join(LATER));
}
