//! Commits that wait for a synchronous standby: a wait that was cancelled is no confirmation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use postgres::Client;
use warrior_stack::Endpoints;

use crate::api::warrior;
use crate::http::Answer;
use crate::left::Others;
use crate::plain::pretend_to_distribute;
use crate::server::TestServer;
use crate::supervisor::{Supervisor, eventually};
use crate::support::{Ending, Fresh, fresh_database_on, plain_database_on};

const KEY: &str = "0123456789abcdef";
const CANCEL: &str =
    "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
const TERMINATE: &str =
    "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";

/// A server whose database waits for a standby that does not exist.
struct Waiting {
    // Dropped in this order.
    server: TestServer,
    admin: Client,
    database: Fresh,
    _stack: Supervisor,
}

#[test]
fn a_cancelled_wait_for_the_standby_is_an_unknown_outcome() {
    ends_unknown(&mut Waiting::start(), CANCEL);
}

#[test]
fn a_wait_for_the_standby_whose_backend_is_terminated_is_one_too() {
    ends_unknown(&mut Waiting::start(), TERMINATE);
}

#[test]
fn a_row_that_is_on_one_server_alone_is_confirmed_once_the_standby_has_it() {
    let look = "-- stored.sql%";
    is_confirmed_once_the_standby_has_it(&mut Waiting::start(), look);
}

#[test]
fn so_it_is_on_the_plain_schema() {
    let mut waiting = Waiting::on(plain_database_on);
    is_confirmed_once_the_standby_has_it(&mut waiting, "-- plain/stored.sql%");
}

/// There the look itself writes nothing; a statement behind it does.
#[test]
fn so_it_is_where_an_engine_distributes_the_plain_schema() {
    let mut waiting = Waiting::on(|endpoints| {
        let database = plain_database_on(endpoints);
        pretend_to_distribute(&database);
        database
    });
    is_confirmed_once_the_standby_has_it(&mut waiting, "-- Waits for the standby%");
}

#[test]
fn a_cancelled_wait_on_the_plain_schema_is_an_unknown_outcome() {
    ends_unknown(&mut Waiting::on(plain_database_on), CANCEL);
}

/// Neither the create nor the look at what is there goes without the standby.
#[test]
fn a_client_that_waits_for_no_standby_leaves_that_to_nobody() {
    let mut waiting = Waiting::start();
    Others::of(&waiting.database).leave("set synchronous_commit = local");
    is_confirmed_once_the_standby_has_it(&mut waiting, "-- stored.sql%");
}

#[test]
fn nor_does_it_on_the_plain_schema() {
    let mut waiting = Waiting::on(plain_database_on);
    Others::of(&waiting.database).leave("set synchronous_commit = local");
    is_confirmed_once_the_standby_has_it(&mut waiting, "-- plain/stored.sql%");
}

/// `look`: how the statement begins that waits, too.
fn is_confirmed_once_the_standby_has_it(waiting: &mut Waiting, look: &str) {
    let answer = thread::scope(|scope| {
        let server = &waiting.server;
        let answer = scope.spawn(|| server.post(&warrior("n")));
        eventually("one wait is cancelled", || {
            !waiting.admin.query(CANCEL, &[]).unwrap().is_empty()
        });
        // The second attempt finds the row, and waits all the same.
        let query = "select from pg_stat_activity where wait_event = 'SyncRep' and query like $1";
        eventually("the second attempt waits, too", || {
            !waiting.admin.query(query, &[&look]).unwrap().is_empty()
        });
        assert!(!answer.is_finished());
        wait_for_standby(&mut waiting.admin, "");
        answer.join().unwrap()
    });
    answer.json(201);
    assert_eq!(waiting.server.count(), 1);
}

/// Ends every wait for the standby by `statement` until the create is answered.
fn ends_unknown(waiting: &mut Waiting, statement: &str) {
    for key in [None, Some(KEY)] {
        let answer = thread::scope(|scope| {
            let server = &waiting.server;
            let answer = scope.spawn(move || match key {
                None => server.post(&warrior("n")),
                Some(key) => server.post_keyed(key, &warrior("n")),
            });
            eventually("the create is answered", || {
                waiting.admin.query(statement, &[]).unwrap();
                answer.is_finished()
            });
            answer.join().unwrap()
        });
        waiting.settles(&answer);
    }
    assert_eq!(waiting.server.count(), 2);
}

impl Waiting {
    fn start() -> Self {
        Self::on(fresh_database_on)
    }

    /// With the schema that this gives the database.
    fn on(database: impl FnOnce(&Endpoints) -> Fresh) -> Self {
        let stack = Supervisor::throw_away();
        let database = database(&stack.endpoints);
        let server = TestServer::with(&database.pooled_login(), |server| {
            server.deadline = Duration::from_secs(15);
        });
        server.await_ready();
        let mut admin = database.superuser();
        wait_for_standby(&mut admin, "nobody");
        await_a_wait(&mut admin, database.superuser());
        Self {
            server,
            admin,
            database,
            _stack: stack,
        }
    }

    /// What a 504 left behind is there, and confirmed by its key once no standby is missing.
    fn settles(&mut self, unknown: &Answer) {
        let problem = unknown.problem(504, "outcome-unknown");
        let text = |field: &str| problem[field].as_str().unwrap();
        let there = "select count(*) from warrior where id = $1::text::uuid";
        let rows: i64 = self
            .database
            .runtime()
            .query_one(there, &[&text("id")])
            .unwrap()
            .get(0);
        assert_eq!(rows, 1, "it was committed");
        wait_for_standby(&mut self.admin, "");
        let again = || {
            self.server
                .post_keyed(text("idempotency_key"), &warrior("n"))
        };
        let mut settled = again();
        // A busy machine may not have logged in again yet.
        eventually("the repeat is let in", || {
            if settled.status == 503 {
                settled = again();
            }
            settled.status != 503
        });
        assert_eq!(settled.location(), text("Location"));
        wait_for_standby(&mut self.admin, "nobody");
        await_a_wait(&mut self.admin, self.database.superuser());
    }
}

/// Has commits wait for this standby from now on; for none when it has no name.
fn wait_for_standby(admin: &mut Client, name: &str) {
    // ALTER SYSTEM takes no parameters.
    let sql = format!("alter system set synchronous_standby_names = '{name}'");
    admin.batch_execute(&sql).unwrap();
    admin.batch_execute("select pg_reload_conf()").unwrap();
}

/// Commits until one waits. The setting is read by one process of PostgreSQL, which tells the others.
fn await_a_wait(admin: &mut Client, mut other: Client) {
    let waits = "select pid from pg_stat_activity where wait_event = 'SyncRep'";
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let ending = Ending(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let commit = "select pg_logical_emit_message(true, 'test', '')";
                other.batch_execute(commit).unwrap();
            }
        });
        eventually("a commit waits", || {
            !admin.query(waits, &[]).unwrap().is_empty()
        });
        drop(ending);
        admin.query(CANCEL, &[]).unwrap();
    });
}
