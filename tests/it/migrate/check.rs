//! `duckdb check`: equal sides, and each way in which rows can differ.

use std::path::Path;

use postgres::Client;
use warrior_api::migrate::compare::{Differences, compare};
use warrior_api::migrate::source::Source;
use warrior_api::migrate::{self, Snapshot};

use super::file::{Duck, library, run};
use crate::support::{Fresh, fresh_database};

/// The table of the guide.
pub(super) const TABLE: &str = "create table warrior (id uuid primary key default uuid(), name varchar(100) not null, dob date not null, \
     fight_skills varchar[] not null, created_at timestamptz default current_timestamp)";

/// Rows in as many ranges of ids as there are thousands of them; both databases understand it but for the generator.
pub(super) const ROWS: i64 = 3000;

fn thousands(generator: &str) -> String {
    format!(
        "insert into warrior select ('00000000-0000-7000-8000-' || lpad(cast(i * 10 as varchar), 12, '0'))::uuid, 'Ada ' || i, \
         date '1980-01-01' + cast(i as integer), array['bow', 'skill ' || i % 7], \
         timestamptz '2024-05-06 07:08:09.000001+00' + i * interval '1 second' from {generator}"
    )
}

/// A file with the same rows as an empty `database` has from now on.
pub(super) fn twin_of(database: &Fresh) -> Duck {
    let stored = thousands(&format!("generate_series(1, {ROWS}) as t (i)"));
    database.owner().batch_execute(&stored).unwrap();
    let filed = thousands(&format!("range(1, {}) as t (i)", ROWS + 1));
    Duck::with(&[TABLE, &filed])
}

pub(super) fn differences(duck: &Duck, client: &mut Client, flags: &[&str]) -> Differences {
    let file = migrate::open(Some(&library()), duck.path()).unwrap();
    let mut connection = file.connect().unwrap();
    let source = Source::find(&mut connection, &arguments(duck.path(), flags)).unwrap();
    let mut snapshot = Snapshot::take(client).unwrap();
    compare(&mut snapshot, &mut connection, &source, &mut |_, _, _| true).unwrap()
}

/// The flags of a file as the command line reads them.
pub(super) fn arguments(path: &Path, flags: &[&str]) -> warrior_api::config::SourceArgs {
    use clap::Parser;
    use warrior_api::config::{Cli, Command, DuckDbAction};
    let words = ["warrior-api", "duckdb", "check"].map(Into::into);
    let flags = flags.iter().map(Into::into);
    let path = [path.as_os_str().to_owned()];
    let cli = Cli::try_parse_from(words.into_iter().chain(path).chain(flags)).unwrap();
    let Command::DuckDb(args) = cli.command else {
        panic!("another command")
    };
    let DuckDbAction::Check(check) = args.action else {
        panic!("another action")
    };
    check.source
}

fn id(number: i64) -> String {
    format!("00000000-0000-7000-8000-{number:012}")
}

#[test]
fn equal_sides_are_equal_whatever_they_hold() {
    let database = fresh_database();
    let mut owner = database.owner();
    // What a session of the API or of psql may have changed.
    let set = format!(
        "alter database {} set timezone to 'Asia/Kathmandu'",
        database.name()
    );
    owner.batch_execute(&set).unwrap();
    owner
        .batch_execute(&format!(
            "alter database {} set datestyle to 'German'",
            database.name()
        ))
        .unwrap();
    let rows = [
        r#"('00000000-0000-0000-0000-000000000000', '', '0001-01-01', array[''], '0001-01-01 00:00:00.000001+00')"#,
        r#"('ffffffff-ffff-ffff-ffff-ffffffffffff', '🐉''"\', '9999-12-31', array['{a,b}', '"', '\', 'NULL', ' '], '9999-12-31 23:59:59.999999+00')"#,
        r#"('80000000-0000-4000-8000-000000000000', 'e' || chr(769), '1582-10-10', array['é', '𝕏', 'a', 'a'], '1969-12-31 23:59:59.999999+00')"#,
        r#"('7fffffff-0000-4000-8000-000000000000', 'line' || chr(10), '2000-02-29', array['1', '2'], '2024-03-31 01:30:00+00')"#,
    ];
    let insert = format!("insert into warrior values {}", rows.join(", "));
    let mut owner = database.owner();
    owner.batch_execute(&insert).unwrap();
    let duck = Duck::with(&[TABLE, &insert]);
    let found = differences(&duck, &mut owner, &[]);
    assert!(found.is_none() && found.newer == 0, "{found}");
    assert_eq!((found.rows, found.stored), (4, 4));

    let (status, out, said) = run(&mut duck.command("check", &database.owner_login()));
    assert_eq!(status, 0, "{said}");
    assert_eq!(
        out,
        "4 rows in the file, 4 in PostgreSQL: every row of the file is in PostgreSQL, and equal\n"
    );
}

#[test]
fn each_difference_is_named() {
    let database = fresh_database();
    let duck = twin_of(&database);
    let mut owner = database.owner();
    let found = differences(&duck, &mut owner, &[]);
    assert!(found.is_none() && found.newer == 0, "{found}");
    assert_eq!((found.rows, found.stored), (ROWS as u64, ROWS as u64));

    // One after the other; each adds its lines to those of the earlier ones.
    let changes = [
        (
            format!("update warrior set name = 'Eve' where id = '{}'", id(1_000)),
            vec![format!("changed: {} (name)", id(1_000))],
        ),
        (
            format!(
                "update warrior set dob = dob + 1 where id = '{}'",
                id(5_000)
            ),
            vec![format!("changed: {} (dob)", id(5_000))],
        ),
        (
            format!(
                "update warrior set fight_skills = array[fight_skills[2], fight_skills[1]] where id = '{}'",
                id(9_000)
            ),
            vec![format!("changed: {} (fight_skills)", id(9_000))],
        ),
        (
            format!(
                "update warrior set created_at = created_at + interval '1 us' where id = '{}'",
                id(13_000)
            ),
            vec![format!("changed: {} (created_at)", id(13_000))],
        ),
        (
            format!(
                "delete from warrior where id in ('{}', '{}', '{}')",
                id(10),
                id(17_000),
                id(ROWS * 10)
            ),
            [10, 17_000, ROWS * 10]
                .map(|n| format!("missing in PostgreSQL: {}", id(n)))
                .to_vec(),
        ),
        (
            format!(
                "insert into warrior (id, name, dob, fight_skills) values ('{}', 'new', '2000-01-01', '{{a}}'), \
                 ('{}', 'between', '2000-01-01', '{{a}}'), ('{}', 'before', '2000-01-01', '{{a}}')",
                uuid::Uuid::now_v7(),
                id(15_001),
                id(1)
            ),
            vec![],
        ),
        (
            format!(
                "update warrior a set name = b.name, dob = b.dob from warrior b
                  where (a.id, b.id) in (('{0}', '{1}'), ('{1}', '{0}'))",
                id(21_000),
                id(25_000)
            ),
            [21_000, 25_000]
                .map(|n| format!("changed: {} (name, dob)", id(n)))
                .to_vec(),
        ),
    ];
    let mut expected: Vec<String> = Vec::new();
    for (sql, lines) in &changes {
        owner.batch_execute(sql).unwrap();
        expected.extend(lines.iter().cloned());
        expected.sort_unstable();
        let found = differences(&duck, &mut owner, &[]).to_string();
        let mut told: Vec<&str> = found.lines().collect();
        told.pop();
        told.sort_unstable();
        assert_eq!(told, expected, "{sql}");
    }
    let (status, out, said) = run(&mut duck.command("check", &database.owner_login()));
    assert_eq!(status, 5, "{said}");
    let last = "3000 rows in the file, 3000 in PostgreSQL: 3 missing in PostgreSQL, 6 changed, 0 more than once in the \
                file; 3 in PostgreSQL are newer than the file";
    assert_eq!(out.lines().last(), Some(last));

    owner.batch_execute("truncate warrior").unwrap();
    let found = differences(&duck, &mut owner, &[]);
    // All are counted; a thousand are named.
    assert_eq!(
        (found.missing.rows, found.missing.first.len()),
        (3000, 1000)
    );
}

#[test]
fn older_shapes_are_compared_and_their_odd_rows_named() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "insert into warrior values
               ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', array['a b', 'c'], '2024-07-01 10:00:00.5+00'),
               ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', array['d'], '2024-12-01 10:00:00+00')",
        )
        .unwrap();
    let json = Duck::with(&[
        "create table fighters (key varchar, name varchar, dob varchar, fight_skills varchar, created_at timestamp)",
        "insert into fighters values
           ('6F9619FF8B86D011B42D00CF4FC964FF', 'Ada', '1980-02-29', '[\"a b\",\"c\"]', '2024-07-01 12:00:00.5'),
           ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', '[\"d\"]', '2024-12-01 11:00:00')",
    ]);
    let flags = [
        "--table",
        "fighters",
        "--map",
        "id=key",
        "--time-zone",
        "Europe/Berlin",
    ];
    let found = differences(&json, &mut owner, &flags);
    assert!(found.is_none() && found.newer == 0, "{found}");

    let comma = Duck::with(&[
        "create table warrior (id varchar, name varchar, dob varchar, fight_skills varchar)",
        "insert into warrior values
           ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', 'a b , c'),
           ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Eve', '1980-02-29', 'x'),
           ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-3-1', null),
           ('no id', 'Cy', '1980-02-29', 'x'), (null, 'Di', '1980-02-29', 'x')",
    ]);
    let told = differences(&comma, &mut owner, &[]).to_string();
    for line in [
        "missing in PostgreSQL: no id (its id is no UUID)",
        "missing in PostgreSQL: NULL, at rowid 4 (its id is no UUID)",
        "changed: 7f9619ff-8b86-d011-b42d-00cf4fc964ff (dob, fight_skills)",
        "more than once in the file: 6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "5 rows in the file, 2 in PostgreSQL: 2 missing in PostgreSQL, 1 changed, 1 more than once in the file",
    ] {
        assert!(
            told.lines().any(|told| told == line),
            "{line} is not in {told}"
        );
    }
}

#[test]
fn an_empty_side_is_no_fault_of_the_check() {
    let database = fresh_database();
    let mut owner = database.owner();
    let empty = Duck::with(&[TABLE]);
    assert!(differences(&empty, &mut owner, &[]).is_none());
    let insert =
        "insert into warrior (name, dob, fight_skills) values ('Ada', '1980-01-01', array['a'])";
    owner.batch_execute(insert).unwrap();
    let found = differences(&empty, &mut owner, &[]);
    assert!(found.is_none() && found.newer == 1, "{found}");

    let (status, _, said) = run(&mut empty.command("check", &database.pooled_login()));
    assert_eq!(status, 1);
    assert!(said.contains("POSTGRES_DIRECT_PORT"), "{said}");
    owner
        .batch_execute("drop table public.warrior cascade")
        .unwrap();
    let (status, _, said) = run(&mut empty.command("check", &database.owner_login()));
    assert_eq!(status, 1);
    assert!(said.contains("warrior-api schema apply"), "{said}");
}
