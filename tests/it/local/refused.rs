//! Files and settings that cannot be served, each with a sentence that says what to do.

use std::fs;
use std::path::Path;

use warrior_duckdb::{Access, Library};

use super::serve_file;
use crate::program::{Program, refusal, serve};
use crate::stores::library;
use crate::supervisor::{Scratch, stack};

/// Runs statements on a file that no server holds.
fn write(path: &Path, statements: &[&str]) {
    let library = Library::find(Some(&library())).unwrap();
    let file = library.open(path, Access::Create, &[]).unwrap();
    let mut connection = file.connect().unwrap();
    for statement in statements {
        connection.run(statement).unwrap();
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_file() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let first = Program::start(&mut serve_file(&path));
    let said = refusal(&mut serve_file(&path));
    let holder = format!("(PID {})", first.pid());
    assert!(said.contains(&holder), "{said}");
    assert!(said.contains("stop that process"), "{said}");
}

#[test]
fn a_file_that_is_damaged_or_holds_something_else_is_not_served() {
    let folder = Scratch::new();
    let path = |name: &str| folder.join(name);
    fs::write(path("garbage"), vec![7; 20_000]).unwrap();
    write(&path("other"), &["create table t (i integer)"]);
    write(
        &path("text"),
        &[
            "create table warrior (id varchar primary key, name varchar not null, dob date not null, \
           fight_skills varchar not null)",
        ],
    );
    write(
        &path("keyless"),
        &[
            "create table warrior (id uuid not null, name varchar(100) not null, dob date not null, \
           fight_skills varchar[] not null, created_at timestamptz)",
        ],
    );
    for (name, expected) in [
        ("garbage", "not a DuckDB file"),
        ("other", "has no table warrior, but t; set DUCKDB_FILE"),
        ("text", "its columns are id VARCHAR NOT NULL"),
        ("keyless", "neither a primary key nor a unique constraint"),
        ("no/such/folder", "cannot be opened"),
    ] {
        let said = refusal(&mut serve_file(&path(name)));
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!path("no").exists());
    }
}

#[test]
fn settings_that_do_not_go_with_a_file_are_said() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let said = refusal(serve().env("DB_MODE", "local"));
    assert!(said.contains("DUCKDB_FILE is not set"), "{said}");
    let said = refusal(serve_file(&path).env("DUCKDB_LIBRARY", "/dev/null"));
    assert!(said.contains("fetch another with: make duckdb"), "{said}");
    let said = refusal(stack().env("DB_MODE", "local"));
    assert!(said.contains("run `warrior-api serve`"), "{said}");
    let program = Program::start(
        serve_file(&path)
            .env("POSTGRES_HOST", "db")
            .env("DB_POOL_MAX", "100"),
    );
    let lines = program.lines().join("\n");
    let without_effect = "without effect: POSTGRES_HOST, DB_POOL_MAX";
    assert!(lines.contains(without_effect), "{lines}");
}
