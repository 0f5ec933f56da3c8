//! Files and settings that cannot be served, each with a sentence that says what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use warrior_duckdb::{Access, Library};

use super::serve_file;
use crate::api::warrior;
use crate::http::request;
use crate::program::{Program, refusal, serve};
use crate::stores::library;
use crate::supervisor::{Scratch, stack};

/// Runs statements on a file that no server holds.
pub(super) fn write(path: &Path, statements: &[&str]) {
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
    write(
        &path("demanding"),
        &[
            "create table warrior (id uuid primary key, name varchar not null, dob date not null, \
           fight_skills varchar[] not null, created_at timestamptz, clan varchar not null, rank integer not null default 1)",
        ],
    );
    for (name, expected) in [
        ("garbage", "not a DuckDB file"),
        ("other", "has no table warrior, but t; set DUCKDB_FILE"),
        ("text", "its columns are id VARCHAR NOT NULL"),
        ("demanding", "which gives no value to clan: NOT NULL"),
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
    assert!(
        lines.contains("app.duckdb (made, empty) is held"),
        "{lines}"
    );
    program.signal(Signal::SIGTERM);
    program.wait();

    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let program = Program::start(&mut serve_file(&path));
    let lines = program.lines().join("\n");
    assert!(lines.contains("(0 warriors) is held"), "{lines}");
    let open = "every user of this machine can read";
    assert!(lines.contains(open), "{lines}");
}

/// DuckDB would keep it in memory, where no acknowledged create belongs.
#[test]
fn a_file_is_a_file_whatever_its_name_is() {
    let folder = Scratch::new();
    let mut command = serve_file(Path::new(":memory:"));
    let program = Program::start(command.current_dir(folder.join("")));
    assert!(folder.join(":memory:").is_file(), "{:?}", program.lines());
}

/// What an import takes back has a time.
#[test]
fn a_table_without_a_default_of_its_times_gets_them() {
    for demand in ["", " not null"] {
        let folder = Scratch::new();
        let path = folder.join("app.duckdb");
        let table = format!(
            "create table warrior (id uuid primary key, name varchar not null, dob date not null, fight_skills varchar[] not \
             null, created_at timestamptz{demand})"
        );
        write(&path, &[&table]);
        let program = Program::start(&mut serve_file(&path));
        let body = warrior("Ada").to_string();
        let created = request(program.public, "POST", "/warrior", &[], body.as_bytes());
        assert_eq!(created.status, 201, "{created:?}");
        let found = request(program.public, "GET", created.location(), &[], b"").json(200);
        assert!(found["created_at"].is_string(), "{found}");
    }
}

#[test]
fn a_constraint_of_the_file_s_own_is_said_and_refuses_no_other_create() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    write(
        &path,
        &[
            "create table warrior (id uuid primary key, name varchar not null check (name <> 'bad'), dob date not null, \
           fight_skills varchar[] not null, created_at timestamptz)",
        ],
    );
    let program = Program::start(&mut serve_file(&path));
    let lines = program.lines().join("\n");
    assert!(lines.contains("does not know this constraint"), "{lines}");
    assert!(lines.contains("CHECK"), "{lines}");
    // Those that come at once share a transaction.
    let post = |name: &str| {
        let body = warrior(name).to_string();
        request(program.public, "POST", "/warrior", &[], body.as_bytes()).status
    };
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (name, expected) = [("good", 201), ("bad", 422)][number % 2];
            scope.spawn(move || assert_eq!(post(name), expected, "{name}"));
        }
    });
}
