//! All lanes with their threads and the probe, on a database that goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use uuid::Uuid;

use super::rig::{LATER, SOON, until};
use crate::budget::{Budget, Bytes};
use crate::config::Sizes;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::{
    Claimed, Dispatch, Executors, Failure, Lookup, LookupReply, Reason, Threads, Timeline,
};
use crate::store::{Class, Created, NewRow, Readiness, StoreError};
use crate::warrior::NewWarrior;

/// A database, and what became of it.
#[derive(Default)]
struct Database {
    /// Nobody gets a connection.
    is_down: AtomicBool,
    /// The next create is its last: it is stored, and not confirmed.
    dies_of_create: AtomicBool,
    /// Workers that got no connection.
    turned_away: AtomicUsize,
    probes: AtomicUsize,
    /// Finds and searches that were sent.
    reads: AtomicUsize,
    /// The ids of creates that were sent.
    creates: Mutex<Vec<Uuid>>,
}

impl Database {
    fn let_in(&self) -> Result<(), StoreError> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(StoreError::of_class(Class::NotSent)),
            false => Ok(()),
        }
    }

    fn connect(self: &Arc<Self>) -> impl Fn() -> Result<(), StoreError> + Send + Sync + 'static {
        let database = Arc::clone(self);
        move || {
            database.let_in().inspect_err(|_| {
                database.turned_away.fetch_add(1, Ordering::SeqCst);
            })
        }
    }

    fn create(&self, batch: &Claimed<'_, NewRow>) -> Result<Vec<Created>, StoreError> {
        let ids = batch.requests.iter().map(|row| row.id);
        self.creates.lock().extend(ids);
        if self.dies_of_create.swap(false, Ordering::SeqCst) {
            self.is_down.store(true, Ordering::SeqCst);
            return Err(StoreError::of_class(Class::Unknown));
        }
        Ok(batch.requests.iter().map(|_| Created::Stored).collect())
    }

    fn read<Q, R: Clone>(&self, batch: &Claimed<'_, Q>, reply: R) -> Vec<R> {
        self.reads.fetch_add(batch.requests.len(), Ordering::SeqCst);
        vec![reply; batch.requests.len()]
    }

    /// Starts the lanes, and shows them that it is there.
    async fn serve(self: &Arc<Self>) -> (Arc<Dispatch>, Threads) {
        let (creating, finding, searching) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        let probed = Arc::clone(self);
        let executors = Executors {
            create: Scripted::connecting(self.connect(), move |batch: &Claimed<'_, NewRow>| {
                creating.create(batch)
            }),
            find: Scripted::connecting(self.connect(), move |batch: &Claimed<'_, Lookup>| {
                Ok(finding.read(batch, LookupReply::Count(1)))
            }),
            search: Scripted::connecting(self.connect(), move |batch: &Claimed<'_, String>| {
                Ok(searching.read(batch, Some(Bytes::new())))
            }),
            probe: Box::new(move |_| {
                probed.probes.fetch_add(1, Ordering::SeqCst);
                probed.let_in().map(|()| Readiness::default())
            }),
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
        let (budget, registry) = (Budget::new(1 << 20), &mut Registry::default());
        let (dispatch, threads) =
            Dispatch::start(&sizes, executors, LATER, &budget, registry).unwrap();
        assert_eq!(dispatch.count(&mut later()).await, Ok(1));
        (dispatch, threads)
    }
}

fn later() -> Timeline {
    let now = Instant::now();
    Timeline::new(now, now + LATER)
}

const WARRIOR: &[u8] = br#"{"name":"n","dob":"2000-01-01","fight_skills":["s"]}"#;

fn row() -> NewRow {
    NewRow {
        id: Uuid::now_v7(),
        keyed: false,
        warrior: Arc::new(NewWarrior::parse(WARRIOR).unwrap()),
    }
}

#[tokio::test]
async fn every_lane_waits_out_an_outage_with_one_probe_and_sends_each_request_once() {
    let database = Arc::new(Database::default());
    let (dispatch, threads) = database.serve().await;
    database.is_down.store(true, Ordering::SeqCst);
    let (creating, counting, searching) = (
        Arc::clone(&dispatch),
        Arc::clone(&dispatch),
        Arc::clone(&dispatch),
    );
    let create = tokio::spawn(async move { creating.create(row(), &mut later()).await });
    let count = tokio::spawn(async move { counting.count(&mut later()).await });
    let search = tokio::spawn(async move { searching.search("t".to_owned(), &mut later()).await });
    until(|| dispatch.breaker.is_out()).await;
    let probes = database.probes.load(Ordering::SeqCst);
    until(|| database.probes.load(Ordering::SeqCst) >= probes + 3).await;
    assert!(!create.is_finished() && !count.is_finished() && !search.is_finished());
    assert_eq!(dispatch.readiness(LATER).await, Ok(None), "requests wait");
    let breaker = dispatch.figures().0;
    assert!(!breaker.open && breaker.outage_seconds > 0.0, "{breaker:?}");
    // At most two attempts each: the rest is the probe's.
    assert!(database.turned_away.load(Ordering::SeqCst) <= 6);

    database.is_down.store(false, Ordering::SeqCst);
    assert_eq!(create.await.unwrap(), Ok(Created::Stored));
    assert_eq!(count.await.unwrap(), Ok(1));
    assert!(search.await.unwrap().is_ok());
    assert_eq!(database.creates.lock().len(), 1);
    assert_eq!(database.reads.load(Ordering::SeqCst), 3, "with the first");
    drop(dispatch);
    assert!(threads.join(LATER));
}

#[tokio::test]
async fn what_is_unknown_is_repeated_with_its_id_when_the_database_is_back() {
    let database = Arc::new(Database::default());
    let (dispatch, _threads) = database.serve().await;
    database.dies_of_create.store(true, Ordering::SeqCst);
    let (row, creating) = (row(), Arc::clone(&dispatch));
    let id = row.id;
    let create = tokio::spawn(async move { creating.create(row, &mut later()).await });
    until(|| dispatch.breaker.is_out()).await;
    assert_eq!(*database.creates.lock(), [id]);
    assert!(!create.is_finished());
    database.is_down.store(false, Ordering::SeqCst);
    assert_eq!(create.await.unwrap(), Ok(Created::Stored));
    assert_eq!(*database.creates.lock(), [id, id]);
}

#[tokio::test]
async fn what_waits_until_its_deadline_is_refused_and_never_sent() {
    let database = Arc::new(Database::default());
    let (dispatch, _threads) = database.serve().await;
    database.is_down.store(true, Ordering::SeqCst);
    let counting = Arc::clone(&dispatch);
    let count = tokio::spawn(async move { counting.count(&mut later()).await });
    until(|| dispatch.breaker.is_out()).await;
    let now = Instant::now();
    let mut soon = Timeline::new(now, now + SOON);
    assert_eq!(
        dispatch.create(row(), &mut soon).await,
        Err(Failure::NotDone(Reason::DatabaseGone)),
        "it waited for a database that is gone"
    );
    database.is_down.store(false, Ordering::SeqCst);
    assert_eq!(count.await.unwrap(), Ok(1));
    assert_eq!(
        dispatch.create(row(), &mut later()).await,
        Ok(Created::Stored)
    );
    assert_eq!(database.creates.lock().len(), 1, "the late one is not sent");
}
