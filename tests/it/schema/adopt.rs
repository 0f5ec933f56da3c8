//! Adoption: a table that was there before, its service writing meanwhile, and tables that cannot be adopted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::types::Type;
use warrior_api::store::schema::{self, SchemaError};

use crate::schema::applied::{SEARCH, apply, assert_complete, number};
use crate::supervisor::eventually;
use crate::support::{Ending, empty_database, fresh_database};

#[test]
fn adopts_a_table_of_the_seed_while_the_old_service_writes() {
    let database = empty_database();
    let mut client = database.owner();
    client.batch_execute(include_str!("../seed.sql")).unwrap();
    let file = "select relfilenode::bigint from pg_class where oid = 'public.warrior'::regclass";
    let file_before = number(&mut client, file);

    let done = AtomicBool::new(false);
    let (applied, written) = thread::scope(|scope| {
        let ending = Ending(&done);
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
        drop(ending);
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
    let count = include_str!("../../../src/store/sql/count.sql");
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

/// No writer queues behind the lock of a validation, so it may wait for as long as others hold theirs.
#[test]
fn a_validation_waits_for_a_lock_as_long_as_it_takes() {
    const WAITS: &str = "select count(*) from pg_locks
                          where relation = 'public.warrior'::regclass and mode = 'ShareUpdateExclusiveLock'
                            and not granted and clock_timestamp() - waitstart > interval '2 seconds'";
    let database = empty_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create table warrior (id uuid primary key, name varchar(100) not null, dob date not null,
                                   fight_skills text[] not null, created_at timestamptz default now())",
        )
        .unwrap();
    let mut others = Some((database.owner(), database.superuser()));
    thread::scope(|scope| {
        let applied = schema::apply(&mut owner, &mut |step| {
            let checks = step.starts_with("checking created_at");
            if let Some((mut holder, mut observer)) = others.take_if(|_| checks) {
                let lock = "begin; lock table public.warrior in share update exclusive mode";
                holder.batch_execute(lock).unwrap();
                scope.spawn(move || {
                    eventually("the validation waits", || number(&mut observer, WAITS) == 1);
                    holder.batch_execute("commit").unwrap();
                });
            }
        });
        applied.unwrap();
    });
    assert_complete(&database);
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

/// A pending file may be what gives the table its columns, so the files run first.
#[test]
fn a_table_of_ours_is_checked_after_the_files_that_may_change_it() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "delete from public.refinery_schema_history
              where version = (select max(version) from public.refinery_schema_history);
             alter table public.warrior alter column dob drop not null, add column clan int not null",
        )
        .unwrap();
    let files = "select max(version)::bigint from public.refinery_schema_history";
    let before = number(&mut owner, files);
    let error = apply(&mut owner).unwrap_err();
    let SchemaError::Reshaped(wrong) = &error else {
        panic!("{error}");
    };
    let expected = [
        "column dob allows NULL",
        "column clan is unknown to the API and refuses NULL without a default",
    ];
    assert_eq!(wrong, &expected);
    assert_eq!(number(&mut owner, files), before + 1);
    let status = schema::status(&mut owner).unwrap();
    assert_eq!(status.faults, [error.to_string()]);

    let undo = "alter table public.warrior alter column dob set not null, drop column clan";
    owner.batch_execute(undo).unwrap();
    apply(&mut owner).unwrap();
    assert_complete(&database);
    assert_eq!(schema::status(&mut owner).unwrap().faults, [""; 0]);
}
