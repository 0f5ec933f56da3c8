//! Files and statements, with the library that `make duckdb` fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use warrior_duckdb::arrow_array::builder::{ListBuilder, StringBuilder};
use warrior_duckdb::arrow_array::{ArrayRef, RecordBatch};
use warrior_duckdb::{Access, Library, OpenError};

/// The library of the build tree; tests stand one folder deeper than programs.
fn library() -> Library {
    let program = std::env::current_exe().expect("a test is a program");
    let built = (program.ancestors())
        .map(|folder| folder.join("lib/libduckdb.so"))
        .find(|path| path.exists());
    Library::find(built.as_deref()).expect("tests of DuckDB need its library")
}

/// A folder that is removed with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("duckdb-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("app.duckdb")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_log_without_its_file_stays() {
    let (library, folder) = (library(), Folder::new("log"));
    let log = warrior_duckdb::log_of(&folder.file());
    fs::write(&log, "rows").unwrap();
    let refused = library
        .open(&folder.file(), Access::Create, &[])
        .unwrap_err();
    assert!(matches!(refused, OpenError::LeftLog(_)), "{refused}");
    assert_eq!(fs::read(&log).unwrap(), b"rows");
}

#[test]
fn what_is_written_is_read_and_parameters_are_lists_too() {
    let (library, folder) = (library(), Folder::new("written"));
    assert!(library.version().starts_with('v'), "{library:?}");
    let file = library
        .open(&folder.file(), Access::Create, &[("threads", "1")])
        .unwrap();
    let mut connection = file.connect().unwrap();
    assert_eq!(
        connection
            .number("select current_setting('threads')::bigint")
            .unwrap(),
        1
    );
    connection
        .run("create table t (name varchar, skills varchar[])")
        .unwrap();

    let mut names = ListBuilder::new(StringBuilder::new());
    let mut skills = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for (name, list) in [("Ada", &["bow", "a'x"][..]), ("Bo\u{e9}", &[])] {
        names.values().append_value(name);
        for skill in list {
            skills.values().values().append_value(skill);
        }
        skills.values().append(true);
    }
    names.append(true);
    skills.append(true);
    let columns: [(&str, ArrayRef); 2] = [
        ("1", Arc::new(names.finish())),
        ("2", Arc::new(skills.finish())),
    ];
    let row = RecordBatch::try_from_iter(columns).unwrap();
    let insert = "insert into t select unnest($1), unnest($2) returning name";
    let returned: usize = (connection.query_with(insert, Some(row)).unwrap())
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(returned, 2);
    let text = "select string_agg(name || len(skills) || coalesce(skills[2], ''), ' ' order by name) from t";
    assert_eq!(
        connection.text(text).unwrap().as_deref(),
        Some("Ada2a'x Bo\u{e9}0")
    );
    assert_eq!(connection.text("select null::varchar").unwrap(), None);
    assert!(connection.number("select 'x'").is_err());
}

#[test]
fn a_file_that_cannot_be_opened_is_told_by_its_reason() {
    let (library, folder) = (library(), Folder::new("refused"));
    let open = |path: &Path, access| library.open(path, access, &[]);
    let missing = open(&folder.file(), Access::Read).unwrap_err();
    assert!(matches!(missing, OpenError::Missing(_)), "{missing}");
    fs::write(folder.file(), vec![7; 20_000]).unwrap();
    let other = open(&folder.file(), Access::Write).unwrap_err();
    assert!(matches!(other, OpenError::NotDuckDb { .. }), "{other}");
}

#[test]
fn a_kind_of_error_is_the_first_word_also_of_one_that_comes_with_the_rows() {
    let (library, folder) = (library(), Folder::new("kinds"));
    let file = library.open(&folder.file(), Access::Create, &[]).unwrap();
    let mut connection = file.connect().unwrap();
    connection
        .run("create table t (i integer check (i < 5))")
        .unwrap();
    let refused = connection.run("insert into t select unnest([1, 9]) returning i");
    let refused = refused.unwrap_err();
    assert!(refused.message.starts_with("Constraint Error"), "{refused}");
}

#[test]
fn a_statement_is_cancelled_from_another_thread() {
    let (library, folder) = (library(), Folder::new("cancelled"));
    let file = library.open(&folder.file(), Access::Create, &[]).unwrap();
    let mut connection = file.connect().unwrap();
    let canceller = connection.canceller();
    let endless = "select count(*) from range(1000000000000) a(i) where hash(i) = 7";
    let running = thread::spawn(move || connection.number(endless).map_err(|e| (e.cancelled, e)));
    let asked = Instant::now();
    while !running.is_finished() {
        canceller.cancel().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(60), "it goes on");
        thread::yield_now();
    }
    let (cancelled, e) = running.join().unwrap().unwrap_err();
    assert!(cancelled, "{e}");
}
