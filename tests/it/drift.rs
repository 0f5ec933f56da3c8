//! Rows that the triggers did not see, and databases that fold no case: found, told, and repaired.

use postgres::Client;
use warrior_api::store::schema::{self, SchemaError};

use crate::lock::TableLock;
use crate::openmetrics::open_metrics;
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Fresh, empty_database, fresh_database, log_in_directly};

/// A row with a skill, a date and letters that no other has.
const STRANGER: &str = "insert into public.warrior (name, dob, fight_skills) values ('Žofie', '1931-05-06', '{sambo}')";
/// So many rows that a sample does not see all of them.
const MANY: &str = "insert into public.warrior (name, dob, fight_skills)
                    select 'n ' || n, '1990-01-31', '{judo}' from generate_series(1, 20000) as n";

fn faults(client: &mut Client) -> Vec<String> {
    schema::status(client).unwrap().faults
}

/// What a server that is started now finds.
fn assert_a_server_finds(database: &Fresh, parts: &[&str]) {
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    let found = || -> Vec<&str> {
        let metrics = server.ask_admin("/metrics");
        let metrics = open_metrics(metrics.text());
        ["triggers", "count", "skills", "letters", "locale"]
            .into_iter()
            .filter(|part| metrics.sample(&format!("warrior_drift{{part=\"{part}\"}}")) != 0.0)
            .collect()
    };
    let parts = parts.to_vec();
    eventually(&format!("the server finds {parts:?}"), || found() == parts);
}

/// Migration services and the copy of a table by logical replication work so.
#[test]
fn the_role_of_a_replica_does_not_go_past_the_triggers() {
    let database = fresh_database();
    let mut superuser = database.superuser();
    superuser
        .batch_execute("set session_replication_role = replica")
        .unwrap();
    superuser.batch_execute(STRANGER).unwrap();
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    for term in ["žof", "sambo", "1931-05"] {
        assert_eq!(server.names(term), ["Žofie"], "{term}");
    }
    assert_eq!(server.count(), 1);
    assert_eq!(faults(&mut database.owner()), [""; 0]);
}

#[test]
fn rows_that_no_trigger_saw_are_found_and_repaired() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner.batch_execute(MANY).unwrap();
    // As the workers of logical replication, which fire no trigger of a statement.
    owner
        .batch_execute(&format!(
            "begin; alter table public.warrior disable trigger all; {STRANGER};
             alter table public.warrior enable always trigger warrior_inserted, enable always trigger warrior_updated,
                 enable always trigger warrior_deleted, enable always trigger warrior_truncated; commit"
        ))
        .unwrap();
    let found = faults(&mut owner);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("the count says 20000, and public.warrior has 20001 rows"));
    assert!(found[1].contains("1 skills, and the letters of 2 names"));
    for fault in &found {
        assert!(
            fault.ends_with("run `warrior-api schema recount`"),
            "{fault}"
        );
    }
    assert_a_server_finds(&database, &["count", "skills", "letters"]);
    schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert_eq!(faults(&mut owner), [""; 0]);
    assert_a_server_finds(&database, &[]);
}

/// A count that says 0 of a large table would else be read to the end by every look.
#[test]
fn a_look_that_shall_count_nothing_counts_nothing() {
    let database = fresh_database();
    let mut owner = database.owner();
    let hidden = format!("alter table public.warrior disable trigger all; {STRANGER}");
    owner.batch_execute(&hidden).unwrap();
    for (rows_max, counted) in [(0, None), (1, Some(1))] {
        let sql = "select counted from public.warrior_drift($1)";
        let found: Option<i64> = owner
            .query_one(sql, &[&i64::from(rows_max)])
            .unwrap()
            .get(0);
        assert_eq!(found, counted);
    }
}

/// `pg_restore --disable-triggers` enables them afterwards, but not for replicas.
#[test]
fn triggers_that_are_gone_or_silent_are_found_and_mended() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "alter table public.warrior disable trigger all;
             alter table public.warrior enable trigger warrior_inserted;
             drop trigger warrior_updated on public.warrior",
        )
        .unwrap();
    owner.batch_execute(STRANGER).unwrap();
    let found = faults(&mut owner);
    let all = "warrior_deleted, warrior_inserted, warrior_truncated, warrior_updated";
    assert!(found.len() == 1 && found[0].contains(all), "{found:#?}");
    assert_a_server_finds(&database, &["triggers"]);
    let repaired = schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert_eq!(repaired.triggers_mended.join(", "), all);
    assert!(repaired.to_string().contains(all));
    assert_eq!(faults(&mut owner), [""; 0]);
    // The next repair has nothing to do, and the triggers work.
    owner.batch_execute("delete from public.warrior").unwrap();
    owner.batch_execute(STRANGER).unwrap();
    let nothing = schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert!(nothing.triggers_mended.is_empty());
    assert_eq!((nothing.before, nothing.after), (1, 1));
}

/// A server leaves a table that somebody holds alone rather than wait for it.
#[test]
fn a_table_that_is_held_is_not_compared() {
    let database = fresh_database();
    let lock = TableLock::take(&database);
    let sql = "select sampled from public.warrior_drift(1000000)";
    let sampled =
        |client: &mut Client| -> Option<i64> { client.query_one(sql, &[]).unwrap().get(0) };
    assert_eq!(sampled(&mut database.runtime()), None);
    lock.release();
    assert_eq!(sampled(&mut database.runtime()), Some(0));
}

/// A full scan that is cut off is not begun again at once, and what costs little is looked at all the same.
#[test]
fn a_count_that_takes_too_long_is_left_out_of_the_next_look() {
    // The limit of the role, which ends the statement; and one so long that the connection is cut.
    for limit in ["1s", "30s"] {
        let database = fresh_database();
        database
            .superuser()
            .batch_execute(&format!(
                "alter role warrior in database {} set statement_timeout = '{limit}';
                 create sequence counted;
                 create or replace function public.warrior_drift(
                     count_rows_max bigint,
                     out triggers text[], out folds boolean, out kept bigint, out counted bigint,
                     out sampled bigint, out skills bigint, out letters bigint)
                 language plpgsql security definer as $$
                 begin
                     if count_rows_max > 0 then perform nextval('public.counted'), pg_sleep(30); end if;
                     triggers := '{{}}'; folds := true; kept := 0;
                     sampled := 1; skills := 1; letters := 0;
                 end $$",
                database.name()
            ))
            .unwrap();
        assert_a_server_finds(&database, &["skills"]);
        let counted = "select case when is_called then last_value else 0 end from counted";
        let counted: i64 = database.superuser().query_one(counted, &[]).unwrap().get(0);
        assert!(counted <= 1, "{counted} counts with a limit of {limit}");
    }
}

#[test]
fn a_locale_that_does_not_fold_beyond_ascii_is_refused_at_every_door() {
    let database = empty_database();
    let mut superuser = database.superuser();
    // PostgreSQL itself calls POSIX C.
    for (locale, encoding) in [("C", "UTF8"), ("POSIX", "UTF8"), ("C", "LATIN1")] {
        let name = format!("{}_{locale}_{encoding}", database.name()).to_lowercase();
        superuser
            .batch_execute(&format!(
                "create database {name} owner warrior_owner template template0 encoding '{encoding}' locale '{locale}'"
            ))
            .unwrap();
        let mut login = database.owner_login();
        login.dbname = name;
        let mut owner = log_in_directly(&login).unwrap();
        let error = schema::apply(&mut owner, &mut |_| {}).unwrap_err();
        assert!(
            matches!(&error, SchemaError::Database { encoding: e, locale: l } if e == encoding && l == "C"),
            "{error}"
        );
        assert!(error.to_string().contains("É to é"), "{error}");
        assert_eq!(faults(&mut owner), [error.to_string()]);
    }

    // A schema that came into such a database by another way, a dump perhaps.
    let database = fresh_database();
    let as_c = "update pg_database set datctype = 'C' where datname = current_database()";
    database.superuser().batch_execute(as_c).unwrap();
    let found = faults(&mut database.owner()).join("\n");
    assert!(found.contains("locale C, but the API needs"), "{found}");
    assert!(found.contains("searches are case-sensitive"), "{found}");
    assert_a_server_finds(&database, &["locale"]);
}
