//! Databases and connections that `schema apply` refuses, each with the way out.

use postgres::Client;
use postgres::types::Type;
use warrior_api::store::schema::{self, SchemaError};

use crate::schema::applied::{SEARCH, apply, assert_complete};
use crate::supervisor::Supervisor;
use crate::support::{empty_database, fresh_database, fresh_database_on, log_in, log_in_directly};

#[test]
fn refuses_a_newer_schema_and_another_index_under_our_name() {
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute("drop index public.idx_warrior_date_order; create index idx_warrior_date_order on public.warrior (dob desc)")
        .unwrap();
    assert!(matches!(
        apply(&mut client),
        Err(SchemaError::OtherIndex {
            name: "idx_warrior_date_order",
            ..
        })
    ));
    client
        .batch_execute("insert into public.refinery_schema_history values (999, 'later', '2030-01-01T00:00:00Z', '1')")
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::NewerTables { .. }), "{error}");
    assert!(error.to_string().contains("V999__later"), "{error}");
    assert_eq!(
        schema::status(&mut client).unwrap().faults,
        [error.to_string()]
    );
    client
        .batch_execute("update public.warrior_schema set number = number + 1, digest = 'later'")
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Newer { .. }), "{error}");
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
    let status = schema::status(&mut client).unwrap();
    assert_eq!(status.pending, [""; 0]);
    assert!(
        status
            .faults
            .iter()
            .any(|fault| fault.contains("use the newer program")),
        "{status}"
    );
}

#[test]
fn refuses_the_functions_of_a_newer_program_that_has_not_finished() {
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute("update public.warrior_schema set functions_number = functions_number + 1, digest = 'later'")
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Newer { .. }), "{error}");
    let status = schema::status(&mut client).unwrap();
    assert_eq!(status.faults, [error.to_string()]);
    let repair = schema::recount(&mut client, &mut |_| {}).unwrap_err();
    assert_eq!(repair.to_string(), error.to_string());
}

/// A newer release may rename or give up a column of the record.
#[test]
fn a_record_that_lacks_a_column_is_refused_and_no_drop_advised_unless_it_is_an_earlier_one() {
    for (change, newer) in [
        ("drop column number", true),
        ("drop column functions_number", true),
        ("rename column triggers to trigger_digest", true),
        ("rename column superseded to waiting", false),
    ] {
        let database = fresh_database();
        let mut client = database.owner();
        let step = if newer { 1 } else { 0 };
        client
            .batch_execute(&format!(
                "update public.warrior_schema set number = number + {step}, functions_number = functions_number + {step};
                 alter table public.warrior_schema {change}"
            ))
            .unwrap();
        let error = apply(&mut client).unwrap_err();
        match newer {
            true => assert!(
                matches!(error, SchemaError::Newer { .. }),
                "{change}: {error}"
            ),
            false => assert!(
                matches!(&error, SchemaError::OtherRecord(names) if names[..] == ["waiting"]),
                "{change}: {error}"
            ),
        }
        assert!(!error.to_string().contains("drop table"), "{error}");
    }
}

#[test]
fn refuses_an_index_under_our_name_that_leaves_rows_out() {
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute(
            "drop index public.idx_warrior_date_order;
             create index idx_warrior_date_order on public.warrior (dob, name collate \"C\", id)
                 with (fillfactor = 70) where dob > '1900-01-01'",
        )
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::OtherIndex { .. }), "{error}");
    assert!(error.to_string().contains("WHERE"), "{error}");
}

#[test]
fn refuses_a_database_whose_migrations_were_others() {
    let database = fresh_database();
    let mut client = database.owner();
    let other = "update public.refinery_schema_history set name = 'of_others' where version = 2";
    client.batch_execute(other).unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Foreign { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("V2__of_others"), "{error}");
    assert!(!error.contains("drop table"), "{error}");
}

#[test]
fn an_earlier_edition_is_refused_with_a_way_out_that_keeps_the_rows() {
    for (change, what) in [
        (
            "update public.refinery_schema_history set checksum = '1' where version = 2",
            "the migration V2__count",
        ),
        (
            "alter table public.warrior_schema drop column functions_number",
            "the table public.warrior_schema",
        ),
    ] {
        refuses_with_a_way_out(change, what);
    }
}

fn refuses_with_a_way_out(change: &str, what: &str) {
    const EVERYTHING: &str = "select string_agg(w::text, ' ' order by id) || (select idempotency from public.warrior_secret)
                                from public.warrior as w";
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute("insert into public.warrior (name, dob, fight_skills) values ('Žofie', '1931-05-06', '{sambo}')")
        .unwrap();
    client.batch_execute(change).unwrap();
    let everything =
        |client: &mut Client| -> String { client.query_one(EVERYTHING, &[]).unwrap().get(0) };
    let before = everything(&mut client);
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Earlier { .. }), "{error}");
    let status = schema::status(&mut client);
    assert!(
        matches!(status, Err(SchemaError::Earlier { .. })),
        "{status:?}"
    );
    let error = error.to_string();
    assert!(error.starts_with(what), "{error}");
    let (_, way_out) = error
        .split_once(&format!("psql -d {} -c '", database.name()))
        .expect(&error);
    let (way_out, _) = way_out.split_once('\'').expect(&error);

    client.batch_execute(way_out).unwrap();
    assert!(apply(&mut client).unwrap().adopted);
    assert_complete(&database);
    assert_eq!(schema::status(&mut client).unwrap().faults, [""; 0]);
    assert_eq!(everything(&mut client), before);
    client
        .batch_execute("insert into public.warrior (name, dob, fight_skills) values ('Ján', '1932-05-06', '{sumo}')")
        .unwrap();
    let mut warrior = database.pooled();
    let count = include_str!("../../../src/store/sql/count.sql");
    assert_eq!(
        warrior.query_typed(count, &[]).unwrap()[0].get::<_, i64>(0),
        2
    );
    for (term, name) in [
        ("žof", "Žofie"),
        ("1931-05", "Žofie"),
        ("sambo", "Žofie"),
        ("ján", "Ján"),
        ("sumo", "Ján"),
    ] {
        let hits = warrior.query_typed(SEARCH, &[(&term, Type::TEXT)]).unwrap();
        assert_eq!(
            hits.iter()
                .map(|hit| hit.get("name"))
                .collect::<Vec<&str>>(),
            [name],
            "{term}"
        );
    }
}

/// A place in the table, by which searches keep rows apart, is one of one table only.
#[test]
fn refuses_a_table_whose_rows_stand_in_more_than_one() {
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute("create table public.warrior_archive () inherits (public.warrior)")
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Obstacles(_)), "{error}");
    let error = error.to_string();
    let way_out = "alter table public.warrior_archive no inherit public.warrior;";
    assert!(error.contains(way_out), "{error}");
    let faults = schema::status(&mut client).unwrap().faults;
    assert!(
        faults.iter().any(|fault| fault.contains(way_out)),
        "{faults:?}"
    );
    client.batch_execute(way_out).unwrap();
    apply(&mut client).unwrap();
    assert_eq!(schema::status(&mut client).unwrap().faults, [""; 0]);

    let database = empty_database();
    let mut client = database.owner();
    client
        .batch_execute(
            "create table public.warrior (id uuid primary key, name varchar(100) not null, dob date not null,
                                          fight_skills text[] not null, created_at timestamptz default now())
             partition by hash (id);
             create table public.warrior_0 partition of public.warrior for values with (modulus 1, remainder 0)",
        )
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Shape(_)), "{error}");
    assert!(error.to_string().contains("it is partitioned"), "{error}");
}

#[test]
fn refuses_a_pooler_that_ignores_the_mark_of_a_direct_connection() {
    let database = fresh_database();
    let pooled = || log_in_directly(&database.pooled_login()).expect("the pooler lets in");
    for refused in [
        apply(&mut pooled()).map(drop),
        schema::recount(&mut pooled(), &mut |_| {}).map(drop),
        schema::status(&mut pooled()).map(drop),
    ] {
        assert!(matches!(refused, Err(SchemaError::Pooled)), "{refused:?}");
    }
}

#[test]
fn refuses_a_pooler_that_refuses_the_mark_of_a_direct_connection() {
    let stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    let mut console = log_in(&stack.endpoints.pooler_admin()).unwrap();
    console
        .simple_query("set ignore_startup_parameters = 'extra_float_digits'")
        .unwrap();
    let mut pooled = log_in_directly(&database.pooled_login()).expect("it is asked again without");
    let refused = apply(&mut pooled).map(drop);
    assert!(matches!(refused, Err(SchemaError::Pooled)), "{refused:?}");
}

#[test]
fn refuses_a_database_that_cannot_hold_every_name() {
    let database = empty_database();
    let mut superuser = database.superuser();
    let name = format!("{}_ascii", database.name());
    superuser
        .batch_execute(&format!(
            "create database {name} owner warrior_owner template template0 encoding 'SQL_ASCII' locale 'C'"
        ))
        .unwrap();
    let mut login = database.owner_login();
    login.dbname = name;
    let error = apply(&mut log_in_directly(&login).unwrap()).unwrap_err();
    assert!(
        matches!(&error, SchemaError::Database { encoding, .. } if encoding == "SQL_ASCII"),
        "{error}"
    );
}
