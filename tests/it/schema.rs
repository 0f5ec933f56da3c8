//! The schema commands: on an empty database, on one in use, at once, killed, and refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;
use warrior_api::store::schema::{self, Applied, SchemaError};

use crate::supervisor::Supervisor;
use crate::support::{
    Fresh, empty_database, fresh_database, fresh_database_on, log_in, log_in_directly,
};

const SEARCH: &str = include_str!("../../src/store/sql/search.sql");

fn apply(client: &mut Client) -> Result<Applied, SchemaError> {
    schema::apply(client, &mut |_| {})
}

fn number(client: &mut Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).unwrap().get(0)
}

fn assert_complete(database: &Fresh) {
    let status = schema::status(&mut database.owner()).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    assert_eq!(status.applied, Some(schema::current_version()));
    let ready = include_str!("../../src/store/sql/ready.sql");
    let version: i32 = database.pooled().query_typed(ready, &[]).unwrap()[0].get(0);
    assert_eq!(version, schema::current_version());
}

#[test]
fn applies_to_an_empty_database_and_changes_nothing_the_second_time() {
    let database = empty_database();
    let mut client = database.owner();
    let before = schema::status(&mut client).unwrap();
    assert_eq!(before.applied, None);
    assert_eq!(before.pending.len(), schema::current_version() as usize);

    let done = apply(&mut client).unwrap();
    assert_eq!(done.version, schema::current_version());
    assert!(!done.adopted && done.notes.is_empty(), "{done:?}");
    assert_complete(&database);

    let again = apply(&mut client).unwrap();
    assert!(
        again.migrations.is_empty() && again.indexes.is_empty(),
        "{again:?}"
    );
}

#[test]
fn adopts_a_table_of_the_seed_while_the_old_service_writes() {
    let database = empty_database();
    let mut client = database.owner();
    client.batch_execute(include_str!("seed.sql")).unwrap();
    let file = "select relfilenode::bigint from pg_class where oid = 'public.warrior'::regclass";
    let file_before = number(&mut client, file);

    let done = AtomicBool::new(false);
    let (applied, written) = thread::scope(|scope| {
        let mut old_service = database.owner();
        let writer = scope.spawn({
            let done = &done;
            move || {
                let mut written = 0;
                while !done.load(Ordering::Relaxed) {
                    let insert = "insert into warrior (name, dob, fight_skills) values ('meanwhile', '1999-12-31', '{latest}')";
                    old_service.batch_execute(insert).unwrap();
                    written += 1;
                }
                written
            }
        });
        let applied = apply(&mut client);
        done.store(true, Ordering::Relaxed);
        (applied.unwrap(), writer.join().unwrap())
    });
    println!("{applied}");

    assert!(applied.adopted);
    assert!(written > 0);
    assert!(applied.writers_locked_out.as_millis() < 1000, "{applied:?}");
    assert_complete(&database);
    assert_eq!(
        number(&mut client, file),
        file_before,
        "the table was rewritten"
    );
    let count = include_str!("../../src/store/sql/count.sql");
    assert_eq!(number(&mut client, count), 100_000 + written);
    for (term, name) in [
        ("SEED 4711 ", "seed 4711 "),
        ("latest", "meanwhile"),
        ("1999-12-31", "meanwhile"),
        ("skill 24", "seed "),
    ] {
        let hits = client.query_typed(SEARCH, &[(&term, Type::TEXT)]).unwrap();
        assert!(!hits.is_empty(), "nothing found for {term}");
        assert!(
            hits[0].get::<_, &str>("name").starts_with(name),
            "{term}: {hits:?}"
        );
    }
    let kept = "select count(*) from pg_attrdef where adrelid = 'public.warrior'::regclass
                   and pg_get_expr(adbin, adrelid) in ('uuid_generate_v4()', 'CURRENT_TIMESTAMP')";
    assert_eq!(number(&mut client, kept), 2);
    let nullable = "select count(*) from pg_attribute where attrelid = 'public.warrior'::regclass and attnum > 0 and not attnotnull";
    assert_eq!(number(&mut client, nullable), 0);
    for index in [
        "idx_warrior_dob",
        "idx_warrior_name",
        "idx_warrior_created_at",
        "idx_warrior_fight_skills",
    ] {
        let command = format!("drop index concurrently public.{index};");
        assert!(
            applied.notes.iter().any(|note| note.contains(&command)),
            "{:?}",
            applied.notes
        );
    }
}

#[test]
fn adopts_rows_without_created_at_and_finishes_once_they_have_it() {
    let database = empty_database();
    let mut client = database.owner();
    client
        .batch_execute(
            "create table warrior (id uuid primary key, name varchar(100) not null, dob date not null,
                                   fight_skills text[] not null, created_at timestamptz default now());
             insert into warrior values ('00000000-0000-4000-8000-000000000001', 'old', '1990-01-01', '{judo}', null)",
        )
        .unwrap();
    let applied = apply(&mut client).unwrap();
    assert_eq!(applied.notes.len(), 1);
    assert!(
        applied.notes[0].starts_with("1 warriors have no created_at"),
        "{:?}",
        applied.notes
    );
    assert_complete(&database);
    client
        .batch_execute("update public.warrior set created_at = now() where created_at is null")
        .unwrap();
    assert!(apply(&mut client).unwrap().notes.is_empty());
    assert!(
        client
            .batch_execute("update public.warrior set created_at = null")
            .is_err()
    );
}

#[test]
fn refuses_a_table_of_another_shape_and_names_every_column() {
    let database = empty_database();
    let mut client = database.owner();
    client
        .batch_execute(
            "create table warrior (id bigint, name text not null, dob date, fight_skills text[] not null collate \"C\",
                                   clan int not null)",
        )
        .unwrap();
    let error = apply(&mut client).unwrap_err();
    let SchemaError::Shape(wrong) = &error else {
        panic!("{error}");
    };
    let expected = [
        "column id is bigint, not uuid",
        "column name is text, not character varying(100)",
        "column dob allows NULL",
        "column fight_skills has a collation of its own",
        "column created_at is missing",
        "column clan is unknown to the API and refuses NULL without a default",
    ];
    assert_eq!(wrong, &expected);
    assert!(
        error
            .to_string()
            .contains("alter table public.warrior rename to warrior_old")
    );
}

#[test]
fn refuses_a_table_of_another_role_with_the_command_that_helps() {
    let database = empty_database();
    let mut superuser = database.superuser();
    superuser
        .batch_execute(
            "create table public.warrior (id uuid primary key, name varchar(100) not null, dob date not null,
                                          fight_skills text[] not null, created_at timestamptz default now())",
        )
        .unwrap();
    let error = apply(&mut database.owner()).unwrap_err().to_string();
    let command = "alter table public.warrior owner to warrior_owner";
    assert!(error.contains(command), "{error}");
    superuser.batch_execute(command).unwrap();
    assert!(apply(&mut database.owner()).unwrap().adopted);
}

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
    assert!(matches!(
        apply(&mut client),
        Err(SchemaError::Newer { applied: 999, .. })
    ));
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
fn migrations_of_an_earlier_edition_are_told_with_the_way_out_which_keeps_the_rows() {
    const EVERYTHING: &str = "select string_agg(w::text, ' ' order by id) || (select idempotency from public.warrior_secret)
                                from public.warrior as w";
    let database = fresh_database();
    let mut client = database.owner();
    client
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills) values ('Žofie', '1931-05-06', '{sambo}');
             update public.refinery_schema_history set checksum = '1' where version = 2",
        )
        .unwrap();
    let everything =
        |client: &mut Client| -> String { client.query_one(EVERYTHING, &[]).unwrap().get(0) };
    let before = everything(&mut client);
    let error = apply(&mut client).unwrap_err();
    assert!(matches!(error, SchemaError::Earlier { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("V2__exact_count"), "{error}");
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
    let count = include_str!("../../src/store/sql/count.sql");
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
fn several_at_once_all_succeed() {
    let database = empty_database();
    let ran: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mut client = database.owner();
                scope.spawn(move || apply(&mut client).unwrap().migrations.len())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(
        ran,
        schema::current_version() as usize,
        "each migration was to run once"
    );
    assert_complete(&database);
}

#[test]
fn killed_after_any_step_the_next_apply_completes() {
    let database = empty_database();
    let mut killer = database.superuser();
    killer
        .batch_execute("create temp table kills (n int)")
        .unwrap();
    for step in 0.. {
        let mut client = database.owner();
        let pid: i32 = client
            .query_one("select pg_backend_pid()", &[])
            .unwrap()
            .get(0);
        let mut seen = 0;
        let result = schema::apply(&mut client, &mut |_| {
            if seen == step % 3 {
                killer
                    .execute("select pg_terminate_backend($1, 5000)", &[&pid])
                    .unwrap();
            }
            seen += 1;
        });
        if result.is_ok() {
            assert!(step > 3, "nothing was killed");
            break;
        }
        assert!(step < 50, "apply never completed: {result:?}");
    }
    assert_complete(&database);
}

#[test]
fn a_build_of_an_index_that_was_killed_is_done_again() {
    let database = empty_database();
    database
        .owner()
        .batch_execute(include_str!("seed.sql"))
        .unwrap();
    let mut superuser = database.superuser();
    // `create index concurrently` waits for this snapshot, so that it can be killed half-way.
    let mut old = database.superuser();
    let mut snapshot = old
        .build_transaction()
        .isolation_level(postgres::IsolationLevel::RepeatableRead)
        .start()
        .unwrap();
    snapshot.query("select 1", &[]).unwrap();
    let killed = thread::scope(|scope| {
        let mut client = database.owner();
        let pid: i32 = client
            .query_one("select pg_backend_pid()", &[])
            .unwrap()
            .get(0);
        let applying = scope.spawn(move || apply(&mut client));
        let waits = "select count(*) from pg_stat_progress_create_index where pid = $1 and phase like 'waiting for old snapshots'";
        poll(|| {
            superuser
                .query_one(waits, &[&pid])
                .unwrap()
                .get::<_, i64>(0)
                == 1
        });
        superuser
            .execute("select pg_terminate_backend($1, 5000)", &[&pid])
            .unwrap();
        applying.join().unwrap()
    });
    assert!(killed.is_err());
    snapshot.commit().unwrap();
    let invalid = "select count(*) from pg_index where indrelid = 'public.warrior'::regclass and not indisvalid";
    assert_eq!(number(&mut superuser, invalid), 1);
    assert!(
        schema::status(&mut database.owner())
            .unwrap()
            .to_string()
            .contains("is not valid")
    );

    apply(&mut database.owner()).unwrap();
    assert_eq!(number(&mut superuser, invalid), 0);
    assert_complete(&database);
}

#[test]
fn a_lock_that_others_hold_is_asked_for_again_while_writers_pass() {
    let database = empty_database();
    let mut owner = database.owner();
    owner.batch_execute(include_str!("seed.sql")).unwrap();
    let mut holder = database.owner();
    let mut open = Some(holder.transaction().unwrap());
    open.as_mut()
        .unwrap()
        .batch_execute(
            "insert into warrior (name, dob, fight_skills) values ('open', '1990-01-01', '{judo}')",
        )
        .unwrap();
    let mut told = String::new();
    let applied = schema::apply(&mut owner, &mut |line| {
        if line.contains("is locked by") {
            told = line;
            if let Some(transaction) = open.take() {
                transaction.commit().unwrap();
            }
        }
    });
    assert!(
        told.contains("warrior_owner, idle in transaction"),
        "{told:?}"
    );
    assert!(applied.unwrap().writers_locked_out.as_millis() >= 1000);
    assert_complete(&database);
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

#[test]
fn the_api_role_may_read_and_add_and_nothing_else() {
    let database = fresh_database();
    // What it says of the database itself is not copied from a template.
    let roles = include_str!("../../postgres-conf/roles.sql").replace("\\set ON_ERROR_STOP on", "");
    database.superuser().batch_execute(&roles).unwrap();
    let mut warrior = log_in(&database.pooled_login()).unwrap();
    let denied = [
        "delete from public.warrior",
        "update public.warrior set name = 'x'",
        "truncate public.warrior",
        "drop table public.warrior",
        "alter table public.warrior add column x int",
        "create table public.x (n int)",
        "create temp table x (n int)",
        "create schema x",
        "create function public.x() returns int language sql as 'select 1'",
        "update public.warrior_count set n = 0",
        "insert into public.warrior_skill values ('x')",
        "insert into public.refinery_schema_history values (99, 'x', 'x', 'x')",
        "select public.warrior_recount()",
        "select public.warrior_count_add(1)",
        "select public.warrior_list('{x}', '{}')",
        "copy public.warrior to program 'true'",
        "copy public.warrior to '/tmp/x'",
        "select pg_read_file('postgresql.conf')",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warrior_owner'",
        "create role x",
        "set role warrior_owner",
        "alter system set work_mem = '1GB'",
    ];
    let mut owner = database.owner();
    owner.batch_execute("select 1").unwrap();
    for sql in denied {
        let error = warrior.batch_execute(sql).expect_err(sql);
        assert_eq!(
            error.code(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}: {error:?}"
        );
    }
    let limits = "select current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' '
                         || current_setting('idle_in_transaction_session_timeout') || ' '
                         || current_setting('search_path') || ' ' || current_setting('gin_pending_list_limit')";
    let limits: String = warrior.query_typed(limits, &[]).unwrap()[0].get(0);
    assert_eq!(limits, "2s 1s 5s public, pg_temp 32MB");
    let flush = include_str!("../../src/store/sql/flush.sql");
    warrior.batch_execute(flush).unwrap();
}

#[test]
fn print_shows_every_statement_for_review() {
    let text = schema::print();
    for part in [
        "create table if not exists public.warrior (",
        "idx_warrior_name_parts",
        "warrior_created_at_present",
        "V2__exact_count",
    ] {
        assert!(text.contains(part), "{part} is missing from:\n{text}");
    }
}

/// Waits for a condition, at most 20 seconds.
fn poll(mut condition: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed().as_secs() < 20, "waited in vain");
        thread::yield_now();
    }
}
