//! `duckdb export` into a new file.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use warrior_duckdb::{Access, Library};

use super::check::{TABLE, differences};
use super::file::{Duck, library, run};
use super::{begin, end};
use crate::server::TestServer;
use crate::supervisor::{Scratch, eventually};
use crate::support::fresh_database;

#[test]
fn rows_that_came_by_other_ways_are_written_as_they_are() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            r#"insert into warrior values
               ('00000000-0000-0000-0000-000000000000', '', 'infinity', '{}', 'infinity'),
               ('00000000-0000-0000-0000-000000000001', 'Ada', '-infinity', '{NULL,"",a}', '-infinity'),
               ('00000000-0000-0000-0000-000000000002', '🐉"''\', '0044-03-15 BC', '{a,b,c,d}', '0044-03-15 BC'),
               ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'Bo', '12345-01-02', '[5:6]={x,y}', '294247-01-01')"#,
        )
        .unwrap();
    let duck = Duck::none();
    let (status, out, said) = run(&mut duck.command("export", &database.owner_login()));
    assert_eq!(status, 0, "{said}");
    assert!(out.contains("4 rows were written to"), "{out}");
    assert_eq!(duck.neighbours(), [""; 0]);
    assert_eq!(super::mode_of(duck.path()), 0o600);
    let text = duck.text(
        "select string_agg(concat_ws('|', name, dob, len(fight_skills), fight_skills[1], fight_skills[-1]), ' ' order by id) \
           from warrior",
    );
    assert_eq!(
        text,
        "|infinity|0 Ada|-infinity|3|a 🐉\"'\\|0044-03-15 (BC)|4|a|d Bo|12345-01-02|2|x|y"
    );

    let (status, out, said) = run(&mut duck.command("check", &database.owner_login()));
    assert_eq!(status, 0, "{out}{said}");
    // What is there is not written over.
    let (status, _, said) = run(&mut duck.command("export", &database.owner_login()));
    assert_eq!(status, 1);
    assert!(said.contains("exists") && said.contains("--add"), "{said}");
}

#[test]
fn a_new_file_has_the_constraints_of_the_old_service_and_its_storage_version() {
    let database = fresh_database();
    let duck = Duck::none();
    // What a killed export left behind, its log too.
    let aside = duck.path().with_file_name(".app.duckdb.exporting");
    let half = Library::find(Some(&library())).unwrap();
    let half = half.open(&aside, Access::Create, &[]).unwrap();
    for sql in [
        "pragma disable_checkpoint_on_shutdown",
        TABLE,
        "insert into warrior (name, dob, fight_skills) values ('half', '1980-01-01', ['a'])",
    ] {
        half.connect().unwrap().run(sql).unwrap();
    }
    drop(half);
    let neighbours = [".app.duckdb.exporting", ".app.duckdb.exporting.wal"];
    let mut found = duck.neighbours();
    found.sort_unstable();
    assert_eq!(found, neighbours);
    let (status, _, said) = run(&mut duck.command("export", &database.owner_login()));
    assert_eq!(status, 0, "{said}");
    assert_eq!(duck.neighbours(), [""; 0]);
    let version = "select tags['storage_version'] from duckdb_databases() where not internal";
    assert_eq!(duck.text(version), "v1.0.0+");
    assert_eq!(duck.number("select count(*) from warrior"), 0);

    let (_file, mut connection) = duck.open(Access::Write);
    connection
        .run("insert into warrior (name, dob, fight_skills) values ('Ada', '1980-01-01', ['a'])")
        .unwrap();
    let made = "select count(*) from warrior where id is not null and created_at <= now()";
    assert_eq!(connection.number(made).unwrap(), 1);
    for wrong in [
        "insert into warrior (name, dob) values ('Ada', '1980-01-01')",
        "insert into warrior (dob, fight_skills) values ('1980-01-01', ['a'])",
        "insert into warrior (name, fight_skills) values ('Ada', ['a'])",
        "insert into warrior select * from warrior",
    ] {
        let refused = connection.run(wrong).unwrap_err().to_string();
        assert!(refused.contains("Constraint Error"), "{wrong}: {refused}");
    }
}

#[test]
fn a_log_or_a_link_of_its_name_is_no_place_for_a_new_file() {
    let database = fresh_database();
    let duck = Duck::none();
    for end in ["wal", "wal.checkpoint", "wal.recovery"] {
        let log = duck.path().with_extension(format!("duckdb.{end}"));
        std::fs::write(&log, "rows of an older file").unwrap();
        let (status, _, said) = run(&mut duck.command("export", &database.owner_login()));
        assert_eq!(status, 1, "{said}");
        let told = format!("{} is there, and DuckDB would take", log.display());
        assert!(said.contains(&told), "{said}");
        assert_eq!(duck.neighbours().len(), 1);
        std::fs::remove_file(&log).unwrap();
    }
    let nowhere = duck.path().with_file_name("nowhere");
    std::os::unix::fs::symlink(&nowhere, duck.path()).unwrap();
    let (status, _, said) = run(&mut duck.command("export", &database.owner_login()));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("exists, and an export"), "{said}");
    assert!(!nowhere.exists());
}

#[test]
fn another_export_into_the_folder_is_waited_for_and_a_folder_has_to_be_there() {
    let database = fresh_database();
    let duck = Duck::none();
    let folder = std::fs::File::open(duck.path().parent().unwrap()).unwrap();
    folder.lock().unwrap();
    let mut export = duck.command("export", &database.owner_login());
    let (status, _, said) = run(&mut export);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("another export makes a file in"), "{said}");
    assert_eq!(duck.neighbours(), [""; 0]);
    drop(folder);
    let (status, _, said) = run(&mut export);
    assert_eq!(status, 0, "{said}");
    let none = duck.path().with_file_name("none");
    let nowhere = super::file::command("export", &none.join("x.duckdb"), &database.owner_login());
    let (status, _, said) = run(&mut { nowhere });
    assert_eq!(status, 1, "{said}");
    let told = format!(
        "there is no folder {0}; make it with: mkdir -p {0}",
        none.display()
    );
    assert!(said.contains(&told), "{said}");
}

#[test]
fn an_array_of_several_dimensions_is_told_and_not_flattened() {
    let database = fresh_database();
    let mut owner = database.owner();
    let row = "'6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ada', '1980-02-29'";
    let nested =
        format!("insert into warrior values ({row}, '{{{{a,b}},{{c,d}}}}', '2024-01-01Z')");
    owner.batch_execute(&nested).unwrap();
    let flat = format!(
        "insert into warrior values ({row}, ['a', 'b', 'c', 'd'], '2024-01-01 00:00:00+00')"
    );
    let duck = Duck::with(&[TABLE, &flat]);
    let (status, out, _) = run(&mut duck.command("check", &database.owner_login()));
    assert_eq!(status, 5, "{out}");
    let named = "changed: 6f9619ff-8b86-d011-b42d-00cf4fc964ff (fight_skills)\n";
    assert!(out.starts_with(named), "{out}");
    let new = Duck::none();
    let (status, _, said) = run(&mut new.command("export", &database.owner_login()));
    assert_eq!(status, 1, "{said}");
    let told = "fight_skills of warrior 6f9619ff-8b86-d011-b42d-00cf4fc964ff cannot be written to this file: it is an array \
                of several dimensions";
    assert!(said.contains(told), "{said}");
    assert!(!new.path().exists());
}

#[test]
fn a_signal_leaves_nothing_half_written() {
    let database = fresh_database();
    let mut owner = database.owner();
    let rows = "insert into warrior (name, dob, fight_skills) select 'Ada', '1980-01-01', '{a}' from generate_series(1, 3000)";
    owner.batch_execute(rows).unwrap();
    // The export waits here once it has made its file.
    let mut locking = owner.transaction().unwrap();
    locking.batch_execute("lock table public.warrior").unwrap();
    let (duck, temporary) = (Duck::none(), Scratch::new());
    let mut export = duck.command("export", &database.owner_login());
    let mut export = begin(export.env("TMPDIR", temporary.join("")));
    eventually("the file is begun", || {
        assert!(export.try_wait().unwrap().is_none(), "it ended first");
        !duck.neighbours().is_empty()
    });
    kill(
        Pid::from_raw(export.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    locking.commit().unwrap();
    let ended = end(export);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.errors);
    let said = "stopped, and nothing was written";
    assert!(ended.errors.contains(said), "{}", ended.errors);
    assert_eq!(duck.neighbours(), [""; 0]);
    assert!(!duck.path().exists());
    assert_eq!(std::fs::read_dir(temporary.join("")).unwrap().count(), 0);
}

/// Ends the clients, also when the test fails.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_was_acknowledged_before_is_in_the_file_while_creates_go_on() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let acknowledged = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let duck = Duck::none();
    let before = thread::scope(|scope| {
        let stopping = Stopping(&stop);
        for client in 0..4 {
            let (server, acknowledged, stop) = (&server, &acknowledged, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let warrior = json!({
                        "name": format!("{client} {number}"), "dob": "1980-01-01", "fight_skills": ["bow"],
                    });
                    let created = server.post(&warrior);
                    // A busy machine may shed.
                    if created.status == 201 {
                        let id = created.location().replace("/warrior/", "");
                        acknowledged.lock().unwrap().push(id);
                    }
                }
            });
        }
        let acknowledged_now = || acknowledged.lock().unwrap().clone();
        eventually("some are acknowledged", || acknowledged_now().len() >= 20);
        let before = acknowledged_now();
        let (status, out, said) = run(&mut duck.command("export", &database.owner_login()));
        assert_eq!(status, 0, "{said}");
        assert!(out.contains("and compared"), "{out}");
        // They go on after the snapshot, too.
        let after = acknowledged_now().len();
        eventually("more are acknowledged", || {
            acknowledged_now().len() >= after + 5
        });
        drop(stopping);
        before
    });
    let mut owner = database.owner();
    let (_file, mut connection) = duck.open(Access::Read);
    for id in &before {
        let there = format!("select count(*) from warrior where id = '{id}'");
        assert_eq!(
            connection.number(&there).unwrap(),
            1,
            "{id} was acknowledged"
        );
    }
    drop((_file, connection));
    let found = differences(&duck, &mut owner, &[]);
    assert!(found.is_none() && found.newer >= 5, "{found}");
    assert_eq!(found.rows + found.newer, found.stored);
}
