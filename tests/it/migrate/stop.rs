//! Signals at times when nothing is being written.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_api::store::schema;

use super::{DuckFile, begin, import};
use crate::support::fresh_database;

/// Sends SIGINT once `line` is told; gives all that was told, and the exit status.
fn interrupted_at(line: &str, mut child: Child) -> (String, Option<i32>) {
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains(line) {
        let read = errors.read_line(&mut told).unwrap();
        assert!(read > 0, "{line} was not told: {told}");
    }
    let id = Pid::from_raw(child.id().try_into().unwrap());
    kill(id, Signal::SIGINT).unwrap();
    errors.read_to_string(&mut told).unwrap();
    (told, child.wait().unwrap().code())
}

#[test]
fn an_import_that_waits_for_another_ends_at_a_signal() {
    let (file, database) = (DuckFile::with(&[super::TABLE]), fresh_database());
    let mut another = database.owner();
    assert!(schema::begin_load(&mut another, &mut |_| {}, &mut || true).unwrap());
    let child = begin(&mut import(&file, &database.owner_login()));
    let (told, status) = interrupted_at("waiting for another schema command", child);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("stopped, and nothing was written"), "{told}");
}

#[test]
fn a_statement_of_duckdb_ends_at_a_signal() {
    // To look at these skills takes a minute or more, and there is nothing to be told before that is done.
    let file = DuckFile::with(&[
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar generated always as \
         (sha256(repeat(sha256(repeat(name, 3000)), 100))) virtual)",
        "insert into warrior select uuid(), 'Ada', '1990-01-01' from range(1000000)",
    ]);
    file.run(&[
        "pragma disable_checkpoint_on_shutdown",
        "insert into warrior values (uuid(), 'Bo', '1990-01-01')",
    ]);
    let database = fresh_database();
    let child = begin(&mut import(&file, &database.owner_login()));
    let (told, status) = interrupted_at("a write-ahead log of", child);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("stopped, and nothing was written"), "{told}");
    assert!(!told.contains("reading main.warrior"), "{told}");
}
