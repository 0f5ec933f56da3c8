//! `duckdb export --add`: what is new goes into the file that one came from, in its own shape.

use std::fs;

use warrior_duckdb::Access;

use super::check::{TABLE, differences};
use super::file::{Duck, run};
use crate::support::{Fresh, fresh_database};

/// The first of them is in the file, too; the others are below it, above it, and between.
const STORED: &str = "insert into warrior values
    ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', array['a b', 'c'], '2024-07-01 10:00:00.5+00'),
    ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', array['d'], '2024-12-01 10:00:00.123456+00')";
const NEW: &str = "insert into warrior values
    ('00000000-0000-4000-8000-000000000000', 'O''Neil \"x\" \\', '0001-01-01', array['say \"hi\"', 'é', '🐉'], '2024-07-02 00:30:00+00'),
    ('70000000-0000-4000-8000-000000000000', 'Cy', '9999-12-31', array['d', ''], '2024-01-02 10:00:00.000001+00'),
    ('ffffffff-ffff-7fff-8fff-ffffffffffff', 'Di', '2000-01-01', array['e'], '2026-01-02 10:00:00+00')";

const USUAL_ROWS: &str = "insert into warrior values
    ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', ['a b', 'c'], '2024-07-01 10:00:00.5+00'),
    ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', ['d'], '2024-12-01 10:00:00.123456+00')";

fn stored() -> Fresh {
    let database = fresh_database();
    database.owner().batch_execute(STORED).unwrap();
    database
}

#[test]
fn what_is_new_is_added_in_the_shape_of_the_file() {
    let shapes: [(&[&str], &[&str]); 4] = [
        (&[TABLE, USUAL_ROWS], &[]),
        (
            &[
                "create schema old",
                "create table old.fighters (born date, remark varchar default 'none', full_name varchar, created_at \
                 timestamp, fight_skills json, key varchar primary key)",
                "insert into old.fighters by name select 'x' as remark, 'Ada' as full_name, date '1980-02-29' as born, \
                 timestamp '2024-07-01 12:00:00.5' as created_at, '[\"a b\",\"c\"]' as fight_skills, \
                 '6f9619ff-8b86-d011-b42d-00cf4fc964ff' as key union all select 'y', 'Bo', '1980-03-01', \
                 '2024-12-01 11:00:00.123456', '[\"d\"]', '7F9619FF8B86D011B42D00CF4FC964FF'",
            ],
            &["--table", "old.fighters", "--map", "id=key,name=full_name,dob=born", "--time-zone", "Europe/Berlin"],
        ),
        (
            &[
                "create table warrior (id uuid, name varchar, dob varchar, fight_skills varchar, created_at timestamp)",
                "insert into warrior values
                   ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', '[\"a b\",\"c\"]', '2024-07-01 10:00:00.5'),
                   ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', '[\"d\"]', '2024-12-01 10:00:00.123456')",
            ],
            &[],
        ),
        (
            &[
                "create table warrior (id varchar, name varchar, dob varchar, fight_skills varchar)",
                "insert into warrior values
                   ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', 'a b, c'),
                   ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', 'd')",
            ],
            &[],
        ),
    ];
    for (sql, flags) in shapes {
        let database = stored();
        let mut owner = database.owner();
        let duck = Duck::with(sql);
        let found = differences(&duck, &mut owner, flags);
        assert!(found.is_none() && found.newer == 0, "{sql:?}: {found}");
        owner.batch_execute(NEW).unwrap();
        let mut add = duck.command("export", &database.owner_login());
        add.arg("--add").args(flags);
        let (status, out, said) = run(&mut add);
        assert_eq!(status, 0, "{sql:?}: {said}");
        assert!(out.contains("\n3 rows were written to"), "{out}");
        let found = differences(&duck, &mut owner, flags);
        assert!(found.is_none() && found.newer == 0, "{sql:?}: {found}");
        assert_eq!(duck.neighbours(), [""; 0], "rows of a newer DuckDB's log");
        let version = "select tags['storage_version'] from duckdb_databases() where not internal";
        assert_eq!(duck.text(version), "v1.0.0+");

        let (status, out, said) = run(&mut add);
        assert_eq!(status, 0, "{said}");
        assert!(out.contains("\n0 rows were written to"), "{out}");
    }
}

#[test]
fn what_differed_before_is_named_and_stays() {
    let database = stored();
    let mut owner = database.owner();
    let duck = Duck::with(&[TABLE, USUAL_ROWS]);
    owner
        .batch_execute("update warrior set name = 'Eve' where name = 'Ada'")
        .unwrap();
    owner.batch_execute(NEW).unwrap();
    let mut add = duck.command("export", &database.owner_login());
    let (status, out, said) = run(add.arg("--add"));
    assert_eq!(status, 5, "{said}");
    assert!(
        out.starts_with("changed: 6f9619ff-8b86-d011-b42d-00cf4fc964ff (name)\n"),
        "{out}"
    );
    assert_eq!(duck.number("select count(*) from warrior"), 5);
    assert_eq!(
        duck.text("select name from warrior where id = '6f9619ff-8b86-d011-b42d-00cf4fc964ff'"),
        "Ada"
    );
}

#[test]
fn a_row_that_the_shape_cannot_hold_stops_it_and_nothing_is_written() {
    let database = stored();
    let mut owner = database.owner();
    owner.batch_execute(NEW).unwrap();
    let comma = Duck::with(&[
        "create table warrior (id varchar, name varchar, dob date, fight_skills varchar, created_at timestamp_s)",
        "insert into warrior values ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29', 'a b,c', null)",
    ]);
    let bytes = fs::read(comma.path()).unwrap();
    let whole_seconds = "update warrior set created_at = date_trunc('second', created_at)";
    for (sql, status, words) in [
        // Microseconds would be lost.
        ("select 1", 1, "do not read back as PostgreSQL has them"),
        (whole_seconds, 5, ""),
        (
            "insert into warrior (name, dob, fight_skills) values ('odd', '2000-01-01', '{\"a,b\"}')",
            1,
            "has a comma in it",
        ),
    ] {
        owner.batch_execute(sql).unwrap();
        let before = comma.number("select count(*) from warrior");
        let mut add = comma.command("export", &database.owner_login());
        let (ended, out, said) = run(add.arg("--add"));
        assert_eq!(ended, status, "{out}{said}");
        assert!(said.contains(words), "{said}");
        let expected = if ended == 1 { before } else { 5 };
        assert_eq!(
            comma.number("select count(*) from warrior"),
            expected,
            "{sql}"
        );
    }
    assert_ne!(
        fs::read(comma.path()).unwrap(),
        bytes,
        "the second one wrote"
    );
}

#[test]
fn a_failure_leaves_the_file_and_its_log_as_they_are() {
    let database = stored();
    database.owner().batch_execute(NEW).unwrap();
    let comma = Duck::with(&[
        "create table warrior (id varchar, name varchar, dob date, fight_skills varchar, created_at timestamp)",
    ]);
    let (file, mut connection) = comma.open(Access::Write);
    for sql in [
        "pragma disable_checkpoint_on_shutdown",
        "insert into warrior values ('8f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Eve', '1980-02-29', 'a b,c', null)",
    ] {
        connection.run(sql).unwrap();
    }
    drop((file, connection));
    let odd =
        "insert into warrior (name, dob, fight_skills) values ('odd', '2000-01-01', '{\"a,b\"}')";
    database.owner().batch_execute(odd).unwrap();
    let log = comma.path().with_extension("duckdb.wal");
    let bytes = || (fs::read(comma.path()).unwrap(), fs::read(&log).unwrap());
    let before = bytes();
    let mut add = comma.command("export", &database.owner_login());
    let (status, _, said) = run(add.arg("--add"));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("has a comma in it"), "{said}");
    assert!(bytes() == before);
}

#[test]
fn skills_are_not_written_in_a_form_that_the_file_does_not_show() {
    let database = stored();
    for texts in [
        "",
        "('5f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Eve', '1980-02-29', 'bow;axe')",
    ] {
        let duck = Duck::with(&[
            "create table warrior (id varchar, name varchar, dob date, fight_skills varchar)",
        ]);
        if !texts.is_empty() {
            let (_file, mut connection) = duck.open(Access::Write);
            connection
                .run(&format!("insert into warrior values {texts}"))
                .unwrap();
        }
        let before = duck.number("select count(*) from warrior");
        let (status, _, said) = run(duck.command("export", &database.owner_login()).arg("--add"));
        assert_eq!(status, 1, "{said}");
        assert!(said.contains("--skills comma or --skills json"), "{said}");
        assert_eq!(duck.number("select count(*) from warrior"), before);
        let mut told = duck.command("export", &database.owner_login());
        let (status, _, said) = run(told.args(["--add", "--skills", "json"]));
        assert_eq!(status == 0, texts.is_empty(), "{said}");
    }
}

#[test]
fn a_file_that_another_process_holds_is_left_alone() {
    let database = stored();
    let duck = Duck::with(&[TABLE]);
    let held = duck.open(Access::Write);
    let mut add = duck.command("export", &database.owner_login());
    let (status, _, said) = run(add.arg("--add"));
    assert_eq!(status, 1);
    assert!(
        said.contains(&format!("PID {}", std::process::id())),
        "{said}"
    );
    drop(held);

    let none = Duck::none();
    let mut add = none.command("export", &database.owner_login());
    let (status, _, said) = run(add.arg("--add"));
    assert_eq!(status, 1);
    assert!(said.contains("does not exist"), "{said}");
    let mut shaped = none.command("export", &database.owner_login());
    let (status, _, said) = run(shaped.args(["--table", "fighters"]));
    assert_eq!(status, 1);
    assert!(said.contains("together with --add"), "{said}");
    assert!(!none.path().exists());
}

#[test]
fn times_that_the_file_cannot_keep_are_told() {
    let database = stored();
    database.owner().batch_execute(NEW).unwrap();
    let timed = Duck::with(&[TABLE, USUAL_ROWS]);
    let mut add = timed.command("export", &database.owner_login());
    let (status, _, said) = run(add.args(["--add", "--map", "created_at="]));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("leave that flag out"), "{said}");
    assert_eq!(timed.number("select count(*) from warrior"), 2);

    let untimed = Duck::with(&[
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar[])",
    ]);
    let mut add = untimed.command("export", &database.owner_login());
    let (status, _, said) = run(add.arg("--add"));
    assert_eq!(status, 0, "{said}");
    let told = "created_at is not in this file: 5 times are not kept";
    assert!(said.contains(told), "{said}");
    let (status, _, said) = run(&mut untimed.command("check", &database.owner_login()));
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("no created_at: it is not compared"), "{said}");
}
