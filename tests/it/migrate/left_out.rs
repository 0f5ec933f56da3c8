//! Rows that an import leaves out, and the command that it prints for the comparison.

use std::fs;
use std::process::Command;

use super::check::TABLE;
use super::file::{Duck, command, run};
use super::{begin, end};
use crate::supervisor::WARRIOR_API;
use crate::support::fresh_database;

/// Five rows, two of which can be taken.
const FIGHTERS: &[&str] = &[
    "create table \"my fighters\" (key varchar, name varchar, dob varchar, fight_skills varchar, created_at timestamp)",
    "insert into \"my fighters\" values
       ('6F9619FF8B86D011B42D00CF4FC964FF', 'Ada', '1980-02-29', 'a b,c', '2024-07-01 12:00:00.5'),
       ('7f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Bo', '1980-03-01', 'd', '2024-12-01 11:00:00'),
       ('8f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Cy', '1980-3-1', 'd', '2024-12-01 11:00:00'),
       ('no id', 'Di', '1980-03-01', 'd', '2024-12-01 11:00:00'),
       (null, 'Ed', '1980-03-01', 'd', '2024-12-01 11:00:00')",
];
const FLAGS: [&str; 8] = [
    "--table",
    "my fighters",
    "--map",
    "id=key",
    "--skills",
    "comma",
    "--time-zone",
    "Europe/Berlin",
];

#[test]
fn the_command_that_an_import_prints_finds_both_sides_equal() {
    let (duck, database) = (Duck::with(FIGHTERS), fresh_database());
    let login = database.owner_login();
    let rejects = duck.path().with_file_name("left out.jsonl");
    let mut import = duck.command("import", &login);
    import.args(FLAGS).arg("--rejects").arg(&rejects);
    let (status, out, said) = run(&mut import);
    assert_eq!(status, 0, "{out}{said}");
    let (_, line) = out
        .split_once("row by row: warrior-api ")
        .expect("it says what is next");
    let mut printed = Command::new("/bin/sh");
    printed.args(["-c", &format!("exec '{WARRIOR_API}' {line}")]);
    printed.env_clear().current_dir("/");
    for (name, value) in import.get_envs() {
        printed.env(name, value.unwrap_or_default());
    }
    let (status, out, said) = run(&mut printed);
    assert_eq!(status, 0, "{out}{said}");
    assert_eq!(
        out,
        "5 rows in the file, 2 in PostgreSQL: every row of the file but the 3 that were left out is in PostgreSQL, and equal\n"
    );

    // What was lost is told beside them.
    database
        .owner()
        .batch_execute("delete from warrior where name = 'Bo'")
        .unwrap();
    let (status, out, _) = run(&mut printed);
    assert_eq!(status, 5, "{out}");
    assert!(
        out.starts_with("missing in PostgreSQL: 7f9619ff-8b86-d011-b42d-00cf4fc964ff\n"),
        "{out}"
    );
    let last =
        "1 missing in PostgreSQL, 0 changed, 0 more than once in the file; 3 were left out\n";
    assert!(out.ends_with(last), "{out}");
}

#[test]
fn a_file_that_is_imported_is_not_written_over() {
    let database = fresh_database();
    let duck = Duck::with(&[TABLE]);
    let part = duck.path().with_file_name("old.part");
    fs::rename(duck.path(), &part).unwrap();
    let before = fs::read(&part).unwrap();
    let mut import = command("import", &part, &database.owner_login());
    let (status, _, said) = run(import.arg("--rejects").arg(part.with_file_name("old")));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("is the DuckDB file itself"), "{said}");
    assert_eq!(fs::read(&part).unwrap(), before);
}

#[test]
fn rejects_of_another_file_are_told() {
    let (duck, database) = (Duck::with(FIGHTERS), fresh_database());
    let rejects = duck.path().with_file_name("rejects.jsonl");
    let mut check = duck.command("check", &database.owner_login());
    check.args(FLAGS).arg("--rejects").arg(&rejects);
    let right =
        "{\"id\":\"8f9619ff-8b86-d011-b42d-00cf4fc964ff\"}\n{\"id\":\"no id\"}\n{\"id\":null}\n";
    for (text, said) in [
        // It can be taken, so no import left it out.
        (
            format!("{right}{{\"id\":\"7f9619ff-8b86-d011-b42d-00cf4fc964ff\"}}\n"),
            "lists 4 rows, and 3 of them are in the file",
        ),
        (
            right.replace("no id", "other"),
            "lists 3 rows, and 2 of them",
        ),
        (format!("{right}x\n"), "line 4 of "),
        (format!("{right}{{}}\n"), "line 4 of "),
    ] {
        fs::write(&rejects, text).unwrap();
        let (status, out, errors) = run(&mut check);
        assert_eq!(status, 1, "{out}{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    fs::write(&rejects, right).unwrap();
    let (status, out, errors) = run(&mut check);
    assert_eq!(status, 5, "{out}{errors}");
    assert!(out.contains("2 missing in PostgreSQL, 0 changed"), "{out}");
}

#[test]
fn an_account_that_nobody_takes_is_no_failure() {
    let database = fresh_database();
    let row = "insert into warrior (name, dob, fight_skills) values ('Ada', '1980-01-01', ['a'])";
    let duck = Duck::with(&[TABLE, row]);
    for action in ["import", "check"] {
        let mut command = duck.command(action, &database.owner_login());
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut child = begin(&mut command);
        // Its pipe has no reader before it says anything.
        drop(child.stdout.take());
        let broken = end(child);
        assert_eq!(broken.status, Some(0), "{action}: {}", broken.errors);
        let (said, status) = (
            "standard output takes no more",
            command.stdout(full).status(),
        );
        assert!(broken.errors.contains(said), "{}", broken.errors);
        assert_eq!(status.unwrap().code(), Some(0), "{action}");
    }
}
