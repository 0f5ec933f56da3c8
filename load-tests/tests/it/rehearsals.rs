//! `rehearse` with the server of the same build: over to PostgreSQL and back, with what clients were told in between.

use std::path::{Path, PathBuf};
use std::process::Command;

use warrior_duckdb::{Access, Library};

use crate::scratch::{CREATES_ALONE, PROGRAM, Scratch, interrupt_at, server};

const TABLE: &str = "create table warrior (id uuid primary key, name varchar(100) not null, dob date not null, \
                     fight_skills varchar[] not null, created_at timestamptz default current_timestamp)";
const ROWS: &str = "insert into warrior (id, name, dob, fight_skills) values \
                    ('00000000-0000-4000-8000-000000000001', 'O''Ren \u{10348}', '0001-01-01', ['bo \"staff\"', '\\', 'bo \"staff\"']), \
                    ('00000000-0000-4000-8000-000000000002', ' ', '9999-12-31', ['Judo'])";

fn library() -> Library {
    let library = Path::new(PROGRAM).with_file_name("../lib/libduckdb.so");
    let given = Some(library.as_path()).filter(|path| path.exists());
    Library::find(given).expect("tests of DuckDB need its library: make duckdb")
}

/// Runs statements on a DuckDB file, and gives the number that the last one asks for.
fn ask(file: &Path, statements: &[&str], number: &str) -> i64 {
    let file = library()
        .open(file, Access::Create, &[])
        .expect("a DuckDB file");
    let mut connection = file.connect().expect("connected");
    for statement in statements {
        connection.run(statement).expect("it runs");
    }
    connection.number(number).expect("a number")
}

/// What `rehearse` ended with, and what it said.
fn rehearse(scratch: &Scratch, file: &Path) -> (i32, String) {
    rehearse_with(scratch, file, &server())
}

fn rehearse_with(scratch: &Scratch, file: &Path, server: &Path) -> (i32, String) {
    let (server, profile) = (server.display().to_string(), scratch.profile(CREATES_ALONE));
    let file = file.display().to_string();
    scratch.load(&[
        "rehearse",
        &file,
        "--server",
        &server,
        "--profile",
        &profile,
    ])
}

fn exported(scratch: &Scratch) -> PathBuf {
    let mut files = std::fs::read_dir(&scratch.0).expect("ours").flatten();
    files
        .find(|file| file.file_name().to_string_lossy().starts_with("rehearsal-"))
        .expect("an exported file")
        .path()
}

#[test]
fn what_was_acknowledged_on_the_way_is_in_the_file_at_its_end() {
    let scratch = Scratch::new();
    let file = scratch.0.join("app.duckdb");
    ask(&file, &[TABLE, ROWS], "select count(*) from warrior");
    let before = std::fs::read(&file).expect("read");
    let (path, server) = (file.display().to_string(), server().display().to_string());
    let (code, text) = scratch.load(&["rehearse", &path, "--server", &server, "--creates", "50"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("by http: "), "{text}");
    assert!(text.contains("clients would wait"), "{text}");
    assert_eq!(std::fs::read(&file).expect("read"), before, "{text}");
    let all = ask(
        &exported(&scratch),
        &[],
        "select count(*) from warrior where id > '00000000-0000-4000-8000-000000000002'",
    );
    // And the one with a key.
    assert_eq!(all, 51, "{text}");
}

#[test]
fn a_row_that_cannot_go_over_ends_the_rehearsal_and_is_named() {
    let scratch = Scratch::new();
    let file = scratch.0.join("app.duckdb");
    let refused = "insert into warrior values ('00000000-0000-4000-8000-000000000003', 'Nobody', '2000-01-01', [], null)";
    ask(
        &file,
        &[TABLE, ROWS, refused],
        "select count(*) from warrior",
    );
    let [half, log, held] = [
        "x.duckdb.exporting",
        "x.duckdb.exporting.wal",
        "y.duckdb.exporting",
    ]
    .map(|name| scratch.0.join(format!(".rehearsal-{name}")));
    for left in [&half, &log] {
        std::fs::write(left, "of a rehearsal that was killed").expect("written");
    }
    let holder = library().open(&held, Access::Create, &[]).expect("made");
    let (code, text) = rehearse(&scratch, &file);
    assert_eq!(code, 1, "{text}");
    assert_eq!(
        [half, log, held].map(|path| path.exists()),
        [false, false, true]
    );
    drop(holder);
    assert!(
        text.contains("00000000-0000-4000-8000-000000000003"),
        "{text}"
    );
    assert!(text.contains("the step `import` failed"), "{text}");
}

/// A server whose `export` gives what an export before the load has given: the rows of the load are missing.
const EXPORTS_TOO_EARLY: &str = r#"#!/bin/sh
case "$1 $2" in
"duckdb check") [ -e EARLY ] || SERVER duckdb export EARLY || exit 1 ;;
"duckdb export") exec cp EARLY "$3" ;;
esac
exec SERVER "$@"
"#;

#[test]
fn a_row_that_is_missing_in_the_exported_file_fails_the_rehearsal() {
    let scratch = Scratch::new();
    let file = scratch.0.join("app.duckdb");
    ask(&file, &[TABLE, ROWS], "select count(*) from warrior");
    let (early, wrapper) = (scratch.0.join("early.duckdb"), scratch.0.join("server"));
    let script = EXPORTS_TOO_EARLY
        .replace("EARLY", &early.display().to_string())
        .replace("SERVER", &server().display().to_string());
    std::fs::write(&wrapper, script).expect("written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&wrapper, executable).expect("ours");
    let (code, text) = rehearse_with(&scratch, &file, &wrapper);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("DIFFERENT"), "{text}");
}

#[test]
fn an_interrupted_rehearsal_is_6() {
    let scratch = Scratch::new();
    let file = scratch.0.join("app.duckdb");
    ask(&file, &[TABLE], "select count(*) from warrior");
    let mut command = Command::new(PROGRAM);
    command
        .arg("rehearse")
        .arg(&file)
        .arg("--server")
        .arg(server())
        .arg("--out")
        .arg(&scratch.0);
    let (code, text) = interrupt_at(&mut command, |line| line.starts_with("== start"));
    assert_eq!(code, 6, "{text}");
}
