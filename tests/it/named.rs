//! Named statements: where they are kept they are used, and a name that is lost costs nobody an answer.

use std::time::Duration;

use serde_json::json;
use warrior_stack::Version;
use warrior_stack::proxy::{Cut, Proxy};

use crate::api::warrior;
use crate::left::Others;
use crate::openmetrics::open_metrics;
use crate::others::put_trigger;
use crate::server::TestServer;
use crate::supervisor::{Supervisor, connect, eventually, shared};
use crate::support::{Fresh, fresh_database, fresh_database_on};

/// The first PgBouncer that keeps names.
const KEEPS_NAMES: Version = Version {
    major: 1,
    minor: 21,
};

/// A database whose table is large enough for names.
fn filled_database() -> Fresh {
    filled(fresh_database())
}

fn filled(database: Fresh) -> Fresh {
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

/// The same, without a connection that waits for a batch: what comes one by one goes over the same one.
fn patient_without_spare(login: &warrior_api::config::Database) -> TestServer {
    let server = TestServer::with(login, |server| {
        server.sizes.pool_min = 0;
        server.deadline = Duration::from_secs(20);
    });
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

/// It costs its connection, and for half a minute no other one is tried.
#[test]
fn a_trial_without_an_answer_costs_nobody_an_answer() {
    let database = filled_database();
    let mut login = database.direct_login();
    let proxy = Proxy::to(login.port).unwrap();
    login.port = proxy.port;
    let server = patient_without_spare(&login);
    let location = server.post(&warrior("n")).location().to_owned();
    await_names(&server);
    let trial = b"pg_prepared_statements";
    proxy.cut_next(Cut::Silence, trial, 1);
    let mut length = 100;
    eventually("a trial comes after a loss", || {
        server.get(&location).json(200);
        length += 1;
        let change = format!("alter table public.warrior alter column name type varchar({length})");
        database.owner().batch_execute(&change).unwrap();
        // The first loses its name, and the second meets the trial.
        server.get(&location).json(200);
        server.get(&location).json(200);
        proxy.has_cut(trial)
    });
    ask_all(&server, "Ana");
}

/// Two servers count their names alike: one that is left on a backend would be the other's statement there.
#[test]
fn a_pooler_that_ceases_to_keep_names_is_left_none() {
    let stack = Supervisor::throw_away();
    let database = filled(fresh_database_on(&stack.endpoints));
    let server = patient_without_spare(&database.pooled_login());
    if stack.endpoints.pooler.version >= KEEPS_NAMES {
        // Counts have their names then, and nothing else.
        await_names(&server);
        await_names(&server);
        let mut console = connect(&stack.endpoints.pooler_admin()).unwrap();
        let cease = "set max_prepared_statements = 0";
        console.simple_query(cease).unwrap();
    }
    let assert_none_left = || {
        // Those that the pooler gave while it kept them are known by its own prefix.
        let left = "select count(*) from pg_catalog.pg_prepared_statements where name not like 'PGBOUNCER_%'";
        assert_eq!(Others::of(&database).ask(left).iter().sum::<i64>(), 0);
    };
    // A statement that has no name yet: a count would find its own lost, and the connection would give up all.
    server.post(&warrior("n")).json(201);
    assert_none_left();
    ask_all(&server, "Ana");
    assert_none_left();
}

/// What makes a count sleep if it is planned while `enable_sort` is off: the setting becomes a part of its plan.
const SLOW_IF_PLANNED_UNSORTED: &str = "
    create sequence public.slept;
    create function public.unsorted() returns boolean language plpgsql immutable
        as 'begin return current_setting(''enable_sort'') = ''off''; end';
    create function public.slow() returns boolean language plpgsql security definer
        as 'begin perform nextval(''public.slept''); perform pg_sleep(30); return true; end';
    grant execute on function public.unsorted(), public.slow() to public;
    alter table public.warrior_count enable row level security;
    create policy slow on public.warrior_count using (case when public.unsorted() then public.slow() else true end)";

#[test]
fn a_plan_that_left_settings_have_made_is_made_anew() {
    const COUNT: &str = include_str!("../../src/store/sql/count.sql");
    let database = filled_database();
    let mut owner = database.owner();
    owner.batch_execute(SLOW_IF_PLANNED_UNSORTED).unwrap();
    // By itself such a plan outlives the setting.
    let mut session = database.runtime();
    let prepare = format!("set enable_sort = off; prepare counted as {COUNT}");
    session.batch_execute(&prepare).unwrap();
    session
        .batch_execute("set statement_timeout = '500ms'")
        .unwrap();
    session.batch_execute("execute counted").unwrap_err();
    session.batch_execute("reset enable_sort").unwrap();
    session.batch_execute("execute counted").unwrap_err();
    let anew = "set statement_timeout = '20s'; discard plans; execute counted";
    session.batch_execute(anew).unwrap();

    let forget_sort = "perform set_config('enable_sort', 'off', false); return null;";
    put_trigger(&database, "after insert", "statement", forget_sort);
    let server = patient(&database.direct_login());
    await_names(&server);
    let mut slept = || -> i64 {
        let row = owner.query_one("select last_value from public.slept", &[]);
        row.unwrap().get(0)
    };
    let before = slept();
    eventually("a count is planned so", || {
        server.post(&warrior("n")).json(201);
        // Whatever is named is planned once more, on the connection that is as it was left.
        let same = "alter policy slow on public.warrior_count
                        using (case when public.unsorted() then public.slow() else true end)";
        database.owner().batch_execute(same).unwrap();
        server.get("/counting-warriors").json(200);
        slept() > before
    });
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
    // More attempts end while the name is given than may be repeated of those that were sent.
    let insert = b"insert into public.warrior";
    let mut acknowledged = 0;
    eventually("all attempts of a create but the last are cut", || {
        proxy.cut_next(Cut::Reply, insert, 4);
        server.post(&warrior("n")).json(201);
        acknowledged += 1;
        proxy.has_cut(insert)
    });
    let stored = "select count(*) from public.warrior where name = 'n'";
    let row = database.owner().query_one(stored, &[]).unwrap();
    assert_eq!(row.get::<_, i64>(0), acknowledged);
}
