//! Named statements: where they are kept they are used, and a name that is lost costs nobody an answer.

use std::time::Duration;

use serde_json::json;
use warrior_stack::Version;
use warrior_stack::proxy::{Cut, Proxy};

use crate::api::warrior;
use crate::openmetrics::open_metrics;
use crate::others::put_trigger;
use crate::server::TestServer;
use crate::supervisor::{eventually, shared};
use crate::support::{Fresh, fresh_database};

/// The first PgBouncer that keeps names.
const KEEPS_NAMES: Version = Version {
    major: 1,
    minor: 21,
};

/// A database whose table is large enough for names.
fn filled_database() -> Fresh {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills)
             select 'filler ' || n, '2000-01-01', (select array_agg(repeat(k::text, 240)) from generate_series(1, 6) k)
               from generate_series(1, 1000) n",
        )
        .unwrap();
    owner
        .batch_execute("vacuum analyze public.warrior")
        .unwrap();
    database
}

/// Time enough on a busy machine: these tests are not about deadlines.
fn patient(login: &warrior_api::config::Database) -> TestServer {
    let server = TestServer::with(login, |server| server.deadline = Duration::from_secs(20));
    server.await_ready();
    server
}

/// How many statements went out in this form.
fn statements(server: &TestServer, form: &str) -> f64 {
    let metrics = server.ask_admin("/metrics");
    open_metrics(metrics.text()).sample(&format!("warrior_statements_total{{form=\"{form}\"}}"))
}

/// Every kind of request, with its right answer.
fn ask_all(server: &TestServer, name: &str) {
    let before = server.count();
    let sent = json!({"name": name, "dob": "1987-06-05", "fight_skills": ["sambo", name]});
    let answer = server.post(&sent);
    assert_eq!(answer.status, 201, "{name}: {}", answer.text());
    let stored = server.get(answer.location()).json(200);
    for field in ["name", "dob", "fight_skills"] {
        assert_eq!(stored[field], sent[field], "{name}");
    }
    assert_eq!(server.names(name), [name]);
    assert_eq!(server.count(), before + 1, "{name}");
}

/// A trial that a busy machine has cut off is repeated half a minute later.
fn await_names(server: &TestServer) {
    let before = statements(server, "named");
    eventually("statements are named", || {
        server.get("/counting-warriors");
        statements(server, "named") > before
    });
}

#[test]
fn a_direct_connection_names_its_statements_and_mends_those_that_are_lost() {
    let database = filled_database();
    let server = patient(&database.direct_login());
    await_names(&server);
    ask_all(&server, "Žofie");

    // "cached plan must not change result type", on a connection that has named the find.
    let location = server.post(&warrior("n")).location().to_owned();
    let mut length = 100;
    eventually("a name is lost, and the answer is not", || {
        server.get(&location).json(200);
        length += 1;
        let change = format!("alter table public.warrior alter column name type varchar({length})");
        database.owner().batch_execute(&change).unwrap();
        let unnamed = statements(&server, "unnamed");
        server.get(&location).json(200);
        statements(&server, "unnamed") > unnamed
    });
    await_names(&server);
    ask_all(&server, "Bruno");

    let end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity
                where datname = current_database() and usename = 'warrior'";
    database.superuser().batch_execute(end).unwrap();
    eventually("creates go on", || server.post(&warrior("n")).status == 201);
    await_names(&server);
    ask_all(&server, "Cyril");
}

#[test]
fn names_that_somebody_deallocates_each_time_cost_nobody_an_answer() {
    let database = filled_database();
    let forget = "execute 'deallocate all'; return null;";
    put_trigger(&database, "after insert", "statement", forget);
    let server = patient(&database.direct_login());
    await_names(&server);
    let unnamed = statements(&server, "unnamed");
    for name in ["Ana", "Bruno", "Cyril", "Žofie"] {
        ask_all(&server, name);
    }
    assert!(statements(&server, "unnamed") > unnamed);
}

#[test]
fn a_pooler_is_given_names_only_if_it_keeps_them() {
    let database = filled_database();
    let server = patient(&database.pooled_login());
    ask_all(&server, "Ana");
    if shared().pooler.version >= KEEPS_NAMES {
        await_names(&server);
        ask_all(&server, "Bruno");
    } else {
        assert_eq!(statements(&server, "named"), 0.0);
        // The trials have left nothing behind for others.
        let left = "select count(*) from pg_catalog.pg_prepared_statements";
        let rows = database.pooled().query_typed(left, &[]).unwrap();
        assert_eq!(rows[0].get::<_, i64>(0), 0);
    }
}

/// A plan that is made for a small table reads all of it, and would be kept while it grows.
#[test]
fn a_small_table_has_its_statements_planned_each_time() {
    let database = fresh_database();
    let server = patient(&database.direct_login());
    ask_all(&server, "Ana");
    assert_eq!(statements(&server, "named"), 0.0);
}

#[test]
fn a_create_whose_name_has_no_answer_is_not_sent() {
    let database = filled_database();
    let mut login = database.direct_login();
    let proxy = Proxy::to(login.port).unwrap();
    login.port = proxy.port;
    let server = patient(&login);
    await_names(&server);
    // At both attempts the connection ends while the name is given.
    let insert = b"insert into public.warrior";
    proxy.cut_next(Cut::Reply, insert, 2);
    server.post(&warrior("n")).problem(503, "unavailable");
    assert!(proxy.has_cut(insert));
    eventually("creates go on", || server.post(&warrior("m")).status == 201);
    let stored = "select count(*) from public.warrior where name = 'n'";
    let row = database.owner().query_one(stored, &[]).unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}
