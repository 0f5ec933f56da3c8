//! `schema apply`: on an empty database, several at once, and killed.

use std::thread;
use std::time::Duration;

use postgres::Client;
use warrior_api::store::schema;

use crate::schema::applied::{apply, assert_complete, number};
use crate::support::{Fresh, empty_database, fresh_database};

#[test]
fn applies_to_an_empty_database_and_changes_nothing_the_second_time() {
    let database = empty_database();
    let mut client = database.owner();
    let before = schema::status(&mut client).unwrap();
    assert_eq!(before.applied, None);

    let done = apply(&mut client).unwrap();
    assert!(done.functions);
    assert_eq!(before.pending.len(), done.migrations.len() + 1);
    assert_eq!(done.version, schema::current_version());
    assert!(!done.adopted && done.notes.is_empty(), "{done:?}");
    assert_complete(&database);

    // A row of the catalog that is written again makes every session read it again.
    let written = |client: &mut Client| -> String {
        let versions = "select string_agg(version, ' ' order by version)
                          from (select xmin::text as version from pg_class where relname like 'warrior%'
                                union all select xmin::text from pg_proc where proname like 'warrior%'
                                union all select xmin::text from pg_trigger
                                union all select xmin::text from pg_db_role_setting
                                           where setdatabase = (select oid from pg_database
                                                                 where datname = current_database())
                                union all select xmin::text from public.warrior_schema) as part";
        client.query_one(versions, &[]).unwrap().get(0)
    };
    let before = written(&mut client);
    let again = apply(&mut client).unwrap();
    assert_eq!(written(&mut client), before);
    assert!(
        again.migrations.is_empty() && !again.functions && again.indexes.is_empty(),
        "{again:?}"
    );
}

/// What an owner's sessions are opened with may be meant for people.
#[test]
fn settings_of_the_owner_or_the_database_do_not_reach_the_commands() {
    const SETTINGS: [(&str, &str, &str); 8] = [
        ("statement_timeout", "1min", "0"),
        ("lock_timeout", "1min", "0"),
        ("transaction_timeout", "1min", "0"),
        ("idle_session_timeout", "1min", "0"),
        ("idle_in_transaction_session_timeout", "1min", "0"),
        ("default_transaction_read_only", "on", "off"),
        ("standard_conforming_strings", "off", "on"),
        ("quote_all_identifiers", "on", "off"),
    ];
    let database = empty_database();
    let mut superuser = database.superuser();
    for (name, value, _) in SETTINGS {
        let known = "select count(*) from pg_settings where name = $1";
        let known: i64 = superuser.query_one(known, &[&name]).unwrap().get(0);
        if known == 1 {
            let set = format!(
                "alter role warrior_owner in database {} set {name} = '{value}'",
                database.name()
            );
            superuser.batch_execute(&set).unwrap();
        }
    }
    let mut owner = database.owner();
    apply(&mut owner).unwrap();
    let mut reader = database.owner();
    let status = schema::status(&mut reader).unwrap();
    assert_eq!(status.pending, [""; 0]);
    let again = apply(&mut database.owner()).unwrap();
    assert!(!again.functions && again.indexes.is_empty(), "{again:?}");
    for (name, _, expected) in SETTINGS {
        let now = "select coalesce(current_setting($1, true), $2)";
        // The last step of an apply sets lock_timeout by itself.
        for session in [&mut owner, &mut reader] {
            let now: String = session.query_one(now, &[&name, &expected]).unwrap().get(0);
            assert_eq!(now, expected, "{name}");
        }
    }
}

#[test]
fn several_at_once_all_succeed() {
    let database = empty_database();
    let applied: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mut client = database.owner();
                scope.spawn(move || apply(&mut client).unwrap())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let first = applied
        .iter()
        .filter(|done| done.functions && !done.migrations.is_empty());
    let idle = applied
        .iter()
        .filter(|done| !done.functions && done.migrations.is_empty());
    assert_eq!((first.count(), idle.count()), (1, 3), "{applied:?}");
    assert_complete(&database);
}

#[test]
fn killed_after_any_step_the_next_apply_completes() {
    kill_after_each_step(&empty_database(), 4);
    let older = fresh_database();
    older
        .owner()
        .batch_execute(
            "create function public.warrior_gone() returns int language sql as 'select 1';
             create function public.warrior_going() returns int language sql as 'select 1';
             update public.warrior_schema
                set functions_number = functions_number - 1, digest = 'older', triggers = 'older',
                    superseded = array['public.warrior_gone()'],
                    functions = array_append(functions, 'public.warrior_going()')",
        )
        .unwrap();
    kill_after_each_step(&older, 2);
    let left = "select count(*) from pg_proc where proname in ('warrior_gone', 'warrior_going')";
    assert_eq!(number(&mut older.owner(), left), 1);
}

/// Kills the first apply after its first step, the second after its second, and so on; at least `kills` times.
fn kill_after_each_step(database: &Fresh, kills: usize) {
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
            assert!(step >= kills, "only {step} were killed");
            break;
        }
        assert!(step < 50, "apply never completed: {result:?}");
    }
    assert_complete(database);
}

#[test]
fn a_build_of_an_index_that_was_killed_is_done_again() {
    let database = empty_database();
    database
        .owner()
        .batch_execute(include_str!("../seed.sql"))
        .unwrap();
    let mut superuser = database.superuser();
    let mut client = database.owner();
    let pid: i32 = client
        .query_one("select pg_backend_pid()", &[])
        .unwrap()
        .get(0);
    // `create index concurrently` waits for this snapshot, so that it can be killed half-way.
    let mut old = database.superuser();
    let mut snapshot = old
        .build_transaction()
        .isolation_level(postgres::IsolationLevel::RepeatableRead)
        .start()
        .unwrap();
    snapshot.query("select 1", &[]).unwrap();
    // Not in a scope, which would wait for it for ever when an assertion fails before the snapshot is gone.
    let applying = thread::spawn(move || apply(&mut client));
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
    let killed = applying.join().unwrap();
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
fn print_shows_every_statement_for_review() {
    let text = schema::print();
    for part in [
        "create table if not exists public.warrior (",
        "idx_warrior_name_parts",
        "warrior_created_at_present",
        "V2__count",
        "create or replace function public.warrior_search(",
        "create table if not exists public.warrior_schema (",
    ] {
        assert!(text.contains(part), "{part} is missing from:\n{text}");
    }
    let place = |part: &str| text.find(part).expect(part);
    assert!(place("revoke execute on function") < place("select public.warrior_mend_triggers()"));
}

#[test]
fn what_print_shows_can_be_run_on_an_empty_database_and_is_then_adopted() {
    let database = empty_database();
    let mut client = database.owner();
    for section in schema::print().split("\n-- ==== ").skip(1) {
        let (title, sql) = section.split_once(" ====\n").unwrap();
        let ran = client.batch_execute(sql);
        assert!(ran.is_ok(), "{title}: {ran:?}");
    }
    assert!(schema::status(&mut client).unwrap().applied.is_none());
    assert!(apply(&mut client).unwrap().adopted);
    assert_complete(&database);
}

/// Waits for a condition, at most 20 seconds.
fn poll(mut condition: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(
            started.elapsed().as_secs() < 120,
            "the condition never came true"
        );
        thread::sleep(Duration::from_millis(5));
    }
}
