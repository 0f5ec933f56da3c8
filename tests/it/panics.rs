//! Panics of workers: `503` before the send, `504` after it, and nobody else is harmed.

#[path = "../panicking/store.rs"]
mod store;

use std::sync::{Arc, Mutex, PoisonError};

use warrior_api::store::Access;

use crate::api::warrior;
use crate::openmetrics::open_metrics;
use crate::server::TestServer;
use crate::support::{Fresh, fresh_database};

use store::{Lane, Panicking, Place};

/// The place at which the next pass panics.
#[derive(Clone, Default)]
struct Armed(Arc<Mutex<Option<Place>>>);

impl Armed {
    fn at(&self, place: Place) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    fn pass(&self, place: Place) {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let provoked = armed.take_if(|armed| *armed == place);
        drop(armed);
        assert_eq!(provoked, None, "provoked");
    }

    fn server(&self, database: &Fresh) -> TestServer {
        let armed = self.clone();
        TestServer::within(&database.pooled_login(), |store| {
            Panicking::new(store, move |place| armed.pass(place))
        })
    }
}

/// How often a worker of each lane has panicked.
fn panics(server: &TestServer) -> [f64; 3] {
    let metrics = server.ask_admin("/metrics");
    let metrics = open_metrics(metrics.text());
    ["create", "find", "search"]
        .map(|lane| metrics.sample(&format!("warrior_worker_panics_total{{lane=\"{lane}\"}}")))
}

#[test]
fn a_panic_leaves_a_create_undone_before_the_send_and_unknown_after_it() {
    let (database, armed) = (fresh_database(), Armed::default());
    let server = armed.server(&database);
    let rows = |name: &str| -> i64 {
        let count = "select count(*) from warrior where name = $1";
        let row = database.runtime().query_one(count, &[&name]);
        row.unwrap().get(0)
    };

    armed.at(Place::Connected(Access::Insert));
    server.post(&warrior("queued")).problem(503, "unavailable");
    assert_eq!(rows("queued"), 0);

    for (place, name, stored) in [
        (Place::Before(Lane::Create), "sent", 0),
        (Place::After(Lane::Create), "committed", 1),
    ] {
        armed.at(place);
        let unknown = server.post(&warrior(name)).problem(504, "outcome-unknown");
        assert_eq!(rows(name), stored);
        let key = unknown["idempotency_key"].as_str().expect("a key");
        let settled = server.post_keyed(key, &warrior(name)).json(201);
        assert_eq!((&settled["id"], rows(name)), (&unknown["id"], 1));
    }
    assert_eq!(server.count(), 2);
    assert_eq!(panics(&server), [3.0, 0.0, 0.0]);
    assert_eq!(server.ask_admin("/ready").status, 200);
}

#[test]
fn a_panic_fails_a_read_and_its_worker_goes_on() {
    let (database, armed) = (fresh_database(), Armed::default());
    let server = armed.server(&database);
    let created = server.post(&warrior("found")).json(201);
    let by_id = format!("/warrior/{}", created["id"].as_str().expect("an id"));
    for (target, lane) in [
        (by_id.as_str(), Lane::Find),
        ("/counting-warriors", Lane::Find),
        ("/warrior?t=found", Lane::Search),
    ] {
        let right = server.get(target).json(200);
        for place in [
            Place::Connected(Access::Read),
            Place::Before(lane),
            Place::After(lane),
        ] {
            armed.at(place);
            assert_eq!(server.get(target).status, 503, "{target} {place:?}");
            // The lane has one worker.
            assert_eq!(server.get(target).json(200), right, "{target} {place:?}");
        }
    }
    assert_eq!(panics(&server), [0.0, 6.0, 3.0]);
    assert_eq!(server.ask_admin("/ready").status, 200);
}
