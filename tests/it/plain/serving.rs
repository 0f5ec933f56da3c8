//! A server on the plain schema: it finds out which schema it serves, also when that changes, and keeps the promises of a
//! create without triggers of its own.

use std::thread;

use serde_json::Value;
use warrior_api::store::schema;

use super::pretend_to_distribute;
use crate::api::{insert, warrior};
use crate::left::is_as_durable_as_the_role_says;
use crate::lock::TableLock;
use crate::others::{patient, put_trigger};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Fresh, apply_plain, empty_database, plain_database, plain_database_anywhere};

const KEY: &str = "0123456789abcdef";

/// A create, a find, a count and a search, each as the contract says.
#[track_caller]
fn serves(server: &TestServer, count: i64) {
    let created = server.post(&warrior("Ada of Kent"));
    let found = server.get(created.location()).json(200);
    assert_eq!(found["name"], "Ada of Kent");
    assert_eq!(server.count(), count);
    assert_eq!(server.names("ada of"), vec!["Ada of Kent"; count as usize]);
}

#[test]
fn serves_the_schema_that_is_applied_while_it_runs() {
    let database = empty_database();
    let server = TestServer::start(&database.pooled_login());
    eventually("it is not ready", || {
        let answer = server.ask_admin("/ready");
        answer.status == 503 && answer.text().contains("warrior-api schema apply")
    });
    apply_plain(&mut database.owner()).unwrap();
    server.await_ready();
    serves(&server, 1);
    serves(&server, 2);
}

/// The statements of one schema miss tables or functions of the other; that is found by the failure, or by a look.
#[test]
fn serves_the_other_schema_after_it_was_replaced() {
    let database = empty_database();
    let mut owner = database.owner();
    schema::apply(&mut owner, &mut |_| {}).unwrap();
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    serves(&server, 1);
    let replace =
        "drop schema public cascade; create schema public; grant usage on schema public to warrior";
    let mut admin = database.superuser();
    let own = "alter schema public owner to warrior_owner";
    admin.batch_execute(replace).unwrap();
    admin.batch_execute(own).unwrap();
    apply_plain(&mut owner).unwrap();
    // Nobody asks for readiness here.
    eventually("the plain schema is served", || {
        server.find("nobody").status == 200
    });
    serves(&server, 1);
    admin.batch_execute(replace).unwrap();
    admin.batch_execute(own).unwrap();
    schema::apply(&mut owner, &mut |_| {}).unwrap();
    server.await_ready();
    serves(&server, 1);
    let kept: i64 = owner
        .query_one("select sum(n)::bigint from public.warrior_count", &[])
        .unwrap()
        .get(0);
    assert_eq!(kept, 1);
}

/// What others have put on the table, and whether commits wait for a standby, is not asked by the statement that sees the
/// row, where an engine distributes the table.
#[test]
fn a_create_that_cannot_be_proved_any_more_is_not_acknowledged() {
    let database = plain_database();
    pretend_to_distribute(&database);
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    server.post_keyed(KEY, &warrior("n")).location();
    let rename = |from: &str, to: &str| {
        let sql = format!("alter table public.{from} rename to {to}");
        database.owner().batch_execute(&sql).unwrap();
    };
    rename("warrior_plain", "elsewhere");
    let repeat = server.post_keyed(KEY, &warrior("n"));
    assert!(
        [503, 504].contains(&repeat.status),
        "{}: {}",
        repeat.status,
        repeat.text()
    );
    rename("elsewhere", "warrior_plain");
    server.await_ready();
    server.post_keyed(KEY, &warrior("n")).location();
    assert_eq!(server.count(), 1);
}

#[test]
fn is_not_ready_on_an_older_schema_and_on_one_that_takes_no_writes() {
    let database = plain_database_anywhere();
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    let not_ready = |word: &str| {
        eventually(word, || {
            let answer = server.ask_admin("/ready");
            answer.status == 503 && answer.text().contains(word)
        });
    };
    let mut owner = database.owner();
    insert(
        &mut owner,
        "update public.warrior_plain set number = number - 1",
    );
    not_ready("warrior-api schema apply --plain");
    apply_plain(&mut owner).unwrap();
    server.await_ready();
    read_only(&database, "on");
    not_ready("read only");
    let refused = server.post(&warrior("n"));
    assert_eq!(refused.status, 503, "{}", refused.text());
    read_only(&database, "off");
    eventually("it is ready again", || {
        server.ask_admin("/ready").status == 200
    });
    serves(&server, 1);
}

fn read_only(database: &Fresh, value: &str) {
    let name = database.name();
    let set = format!(
        "begin read write; alter database {name} set default_transaction_read_only = {value}; commit"
    );
    let mut admin = database.superuser();
    admin.batch_execute(&set).unwrap();
    // Sessions that are there keep the old value.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and usename = 'warrior'";
    admin.execute(end, &[]).unwrap();
}

#[test]
fn reads_the_secret_of_idempotency_keys_from_the_database() {
    let database = plain_database_anywhere();
    let first = TestServer::without_secret(&database.pooled_login());
    first.await_ready();
    let place = first.post_keyed(KEY, &warrior("n")).location().to_owned();
    let second = TestServer::without_secret(&database.pooled_login());
    second.await_ready();
    assert_eq!(second.post_keyed(KEY, &warrior("n")).location(), place);
    assert_eq!(second.count(), 1);
}

#[test]
fn a_commit_is_as_durable_as_the_role_says() {
    is_as_durable_as_the_role_says(&plain_database());
}

#[test]
fn a_trigger_that_comes_later_is_seen_by_the_next_create() {
    let database = plain_database();
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    serves(&server, 1);
    put_trigger(
        &database,
        "before insert",
        "row",
        "new.name := 'changed'; return new;",
    );
    let problem: Value = server
        .post(&warrior("n"))
        .problem(504, "altered-by-database");
    let stored = server.get(problem["Location"].as_str().unwrap()).json(200);
    assert_eq!(stored["name"], "changed");
}

/// A batch is filled up to the size of a text by its last row, which is stored once; so is a row that comes twice.
#[test]
fn batches_of_every_size_store_each_row_once() {
    let database = plain_database_anywhere();
    let server = patient(&database);
    let mut stored = 0;
    for size in [1_usize, 2, 9, 17, 40] {
        let mut lock = TableLock::take(&database);
        thread::scope(|scope| {
            let server = &server;
            scope.spawn(|| server.post(&warrior("first")).json(201));
            lock.await_waiting(1);
            for n in 0..size {
                // Every eighth is the one before it.
                let key = format!("{KEY}-{size}-{}", n - usize::from(n % 8 == 7));
                scope.spawn(move || server.post_keyed(&key, &warrior(&key)).json(201));
            }
            server.await_queue("create", size);
            lock.release();
        });
        stored += 1 + size - size / 8;
        assert_eq!(
            usize::try_from(server.count()),
            Ok(stored),
            "a batch of {size}"
        );
    }
}

/// Nothing is kept beside the rows, so nothing is flushed, and nothing drifts.
#[test]
fn the_gauges_of_what_triggers_keep_stay_silent() {
    let database = plain_database_anywhere();
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.monitoring = Some(database.monitoring());
    });
    server.await_ready();
    serves(&server, 1);
    eventually("PostgreSQL is sampled", || {
        let figures: Value = server.ask_admin("/figures").json(200);
        figures["postgres"]["live_rows"].is_i64()
            && figures["postgres"]["pending_list_bytes"].is_null()
    });
    let metrics = server.ask_admin("/metrics");
    let drift: Vec<&str> = metrics
        .text()
        .lines()
        .filter(|line| line.starts_with("warrior_drift{"))
        .collect();
    assert!(
        !drift.is_empty() && drift.iter().all(|line| line.ends_with(" 0")),
        "{drift:?}"
    );
}
