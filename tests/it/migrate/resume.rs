//! Imports that are cut off, and go on.

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use warrior_api::migrate::{self, MigrateError};
use warrior_api::store::schema;

use super::{DuckFile, assert_whole, begin, end, ended, import, number};
use crate::supervisor::{Scratch, Supervisor, WARRIOR_API, kill_9, stack};
use crate::support::{fresh_database, log_in_directly};

/// Some chunks.
pub(super) const ROWS: u32 = 60_000;
/// Longest time that a chunk may take on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(300);
const PROGRESS: &str = "select coalesce(max(rows), 0)::bigint from warrior_import";

/// Waits until `rows` are done, or the program has ended.
pub(super) fn wait_for(rows: i64, child: &mut Child, client: &mut Client) {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        // Its table is not there before the first chunk.
        let done: i64 = client.query_one(PROGRESS, &[]).map_or(0, |row| row.get(0));
        if done >= rows {
            return;
        }
        assert!(Instant::now() < deadline, "only {done} rows were done");
        thread::sleep(Duration::from_millis(10));
    }
}

fn id(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap())
}

#[test]
fn a_killed_import_goes_on_and_a_second_one_finds_everything_there() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    // The last one is killed while it builds the indexes.
    for rows in [ROWS / 10, ROWS / 2, ROWS] {
        let mut child = begin(&mut import(&file, &login));
        wait_for(rows.into(), &mut child, &mut client);
        kill(id(&child), Signal::SIGKILL).unwrap();
        let ended = end(child);
        assert_eq!(ended.status, None, "{}{}", ended.out, ended.errors);
        if rows < ROWS {
            let pending = schema::status(&mut client).unwrap().pending;
            assert!(!pending.is_empty(), "the search indexes were not deferred");
        }
    }
    let last = ended(&mut import(&file, &login), 0);
    let said = format!("an earlier import of this file has done {ROWS} rows; going on from there");
    assert!(last.errors.contains(&said), "{}", last.errors);
    // They were dropped by the first.
    assert!(!last.errors.contains("indexes stay"), "{}", last.errors);
    let told = format!(": {ROWS} stored, 0 were there already, 0 have other content");
    assert!(last.out.contains(&told), "{}", last.out);
    assert_whole(&file, &mut client);
    let again = ended(&mut import(&file, &login), 0);
    let told = format!(": 0 stored, {ROWS} were there already, 0 have other content");
    assert!(again.out.contains(&told), "{}", again.out);
    assert_whole(&file, &mut client);
    let counted = number(&mut client, "select sum(n)::bigint from warrior_count");
    assert_eq!(counted, i64::from(ROWS));
}

#[test]
fn a_signal_stops_between_two_chunks() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    let mut child = begin(&mut import(&file, &login));
    wait_for(1, &mut child, &mut client);
    kill(id(&child), Signal::SIGINT).unwrap();
    let ended_early = end(child);
    assert_eq!(ended_early.status, Some(1), "{}", ended_early.errors);
    assert!(
        ended_early.errors.contains("run the same command again"),
        "{}",
        ended_early.errors
    );
    assert!(
        ended_early.errors.contains("stopped after "),
        "{}",
        ended_early.errors
    );
    ended(&mut import(&file, &login), 0);
    assert_whole(&file, &mut client);
}

#[test]
fn a_signal_stops_after_the_index_that_is_being_built() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    let mut child = begin(&mut import(&file, &login));
    wait_for(1, &mut child, &mut client);
    // Builds of indexes wait for the end of this transaction; inserts do not.
    let mut writer = database.owner();
    let mut writing = writer.transaction().unwrap();
    writing
        .batch_execute("lock table public.warrior in row exclusive mode")
        .unwrap();
    let building = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query \
                    ilike '%create index concurrently%' and pid <> pg_backend_pid()";
    let deadline = Instant::now() + PATIENCE;
    while number(&mut client, building) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended first");
        assert!(Instant::now() < deadline, "no index was built");
        thread::sleep(Duration::from_millis(10));
    }
    kill(id(&child), Signal::SIGINT).unwrap();
    writing.commit().unwrap();
    let stopped = end(child);
    assert_eq!(stopped.status, Some(1), "{}", stopped.errors);
    for said in [
        "stopping; a chunk, or an index, that is being written is finished first",
        &format!("stopped after {ROWS} rows"),
    ] {
        assert!(stopped.errors.contains(said), "{}", stopped.errors);
    }
    let pending = schema::status(&mut client).unwrap().pending;
    assert!(!pending.is_empty(), "all indexes were built");
    let last = ended(&mut import(&file, &login), 0);
    assert!(last.errors.contains(GOING_ON), "{}", last.errors);
    assert_whole(&file, &mut client);
}

#[test]
fn what_a_killed_import_left_is_mended_by_schema_apply_too() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    let mut child = begin(&mut import(&file, &login));
    wait_for(1, &mut child, &mut client);
    kill_9(child.id());
    end(child);
    schema::apply(&mut client, &mut |_| {}).unwrap();
    let status = schema::status(&mut client).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    // Another file starts from its own beginning, and what this one left is no difference.
    ended(&mut import(&file, &login), 0);
    assert_whole(&file, &mut client);
}

/// Kills an import once `rows` of it are done.
fn cut_off(command: &mut Command, rows: u32, client: &mut Client) {
    let mut child = begin(command);
    wait_for(rows.into(), &mut child, client);
    kill_9(child.id());
    assert_eq!(end(child).status, None);
}

const GOING_ON: &str = "going on from there";

#[test]
fn rows_that_are_gone_since_are_copied_again() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    cut_off(&mut import(&file, &login), 1, &mut client);
    client.batch_execute("truncate warrior").unwrap();
    let anew = ended(&mut import(&file, &login), 0);
    assert!(anew.errors.contains("beginning anew"), "{}", anew.errors);
    assert!(!anew.errors.contains(GOING_ON), "{}", anew.errors);
    assert!(
        anew.out.contains(&format!(": {ROWS} stored, 0 were")),
        "{}",
        anew.out
    );
    assert_whole(&file, &mut client);
}

#[test]
fn rows_that_are_gone_since_are_missed_though_others_came() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    cut_off(&mut import(&file, &login), 1, &mut client);
    client
        .batch_execute(
            "delete from warrior where id in (select id from warrior order by id limit 500);
             insert into warrior (name, dob, fight_skills)
             select 'other', '1980-01-01', '{bow}' from generate_series(1, 500)",
        )
        .unwrap();
    let anew = ended(&mut import(&file, &login), 0);
    assert!(anew.errors.contains("beginning anew"), "{}", anew.errors);
    assert!(!anew.errors.contains(GOING_ON), "{}", anew.errors);
    client
        .batch_execute("delete from warrior where name = 'other'")
        .unwrap();
    assert_whole(&file, &mut client);

    cut_off(&mut import(&file, &login), 1, &mut client);
    client
        .batch_execute("update warrior set name = 'Eve' where name like 'Warrior 0 of %'")
        .unwrap();
    let changed = ended(&mut import(&file, &login), 3);
    assert!(
        changed.errors.contains("beginning anew"),
        "{}",
        changed.errors
    );
    let told = format!("{} were there already, 1 have other content", ROWS - 1);
    assert!(changed.out.contains(&told), "{}", changed.out);
}

#[test]
fn a_file_with_gaps_and_a_log_goes_on_and_another_reading_or_content_begins_anew() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let (login, mut client) = (database.owner_login(), database.owner());
    file.run(&[
        "alter table warrior add column alias varchar",
        "update warrior set alias = name",
        "delete from warrior where ascii(name[-1]) % 3 = 0",
    ]);
    // A list that is updated moves its row to the end.
    file.run(&[
        "pragma disable_checkpoint_on_shutdown",
        "update warrior set fight_skills = ['moved'] where ascii(name[-1]) % 3 = 1",
        "delete from warrior where ascii(name[-2]) % 5 = 0",
    ]);
    assert!(file.beside("app.duckdb.wal").exists());
    cut_off(&mut import(&file, &login), 1, &mut client);
    let mut aliased = import(&file, &login);
    aliased.args(["--map", "name=alias"]);
    // Another way of reading it knows nothing of this progress, and keeps its own beside it.
    let mut child = begin(&mut aliased);
    let both = "select count(*) from warrior_import having count(*) = 2";
    let deadline = Instant::now() + PATIENCE;
    while client.query_opt(both, &[]).unwrap().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "it ended first");
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(2));
    }
    kill_9(child.id());
    let aliased = end(child);
    assert!(!aliased.errors.contains(GOING_ON), "{}", aliased.errors);
    let last = ended(&mut import(&file, &login), 0);
    assert!(last.errors.contains(GOING_ON), "{}", last.errors);
    // Its own progress and the other one are gone.
    assert_whole(&file, &mut client);

    client.batch_execute("truncate warrior").unwrap();
    cut_off(&mut import(&file, &login), 1, &mut client);
    file.run(&[
        "insert into warrior values (uuid(), 'New', '1990-01-01', ['bow'], '2024-01-01', 'New')",
    ]);
    let anew = ended(&mut import(&file, &login), 0);
    assert!(!anew.errors.contains(GOING_ON), "{}", anew.errors);
    assert_whole(&file, &mut client);
}

#[test]
fn a_file_that_changes_while_it_is_digested_is_refused() {
    let file = DuckFile::with_many(10);
    let path = file.path();
    let mut changing = || {
        let opened = std::fs::File::open(&path).unwrap();
        opened
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        true
    };
    let library = super::file::library();
    let refused = migrate::open_with_digest(Some(&library), &path, &mut changing);
    assert!(matches!(refused, Err(MigrateError::Changed(_))));
}

#[test]
fn a_signal_leaves_neither_half_a_file_of_rejects_nor_temporary_files() {
    let (file, database) = (DuckFile::with_many(3 * ROWS), fresh_database());
    file.run(&["insert into warrior values (uuid(), '', '1990-01-01', ['bow'], '2024-01-01')"]);
    let (rejects, temporary) = (file.beside("rejects.jsonl"), Scratch::new());
    let part = file.beside("rejects.jsonl.part");
    // Of a process that was killed, and of one that runs.
    let mut killed = Command::new("true").spawn().unwrap();
    killed.wait().unwrap();
    let of = |pid| temporary.join(format!("warrior-api-duckdb-{pid}"));
    for pid in [killed.id(), std::process::id()] {
        std::fs::create_dir(of(pid)).unwrap();
        std::fs::write(of(pid).join("duckdb_temp_storage-0.tmp"), "rows").unwrap();
    }
    // No process has this number, and the folder is somebody's.
    let own = temporary.join("warrior-api-duckdb-2026112900/app.duckdb");
    std::fs::create_dir(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "warriors").unwrap();
    let mut command = import(&file, &database.owner_login());
    command.env("TMPDIR", temporary.join(""));
    let mut child = begin(command.arg("--rejects").arg(&rejects));
    let deadline = Instant::now() + PATIENCE;
    while !part.exists() && !rejects.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended first");
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(2));
    }
    kill(id(&child), Signal::SIGINT).unwrap();
    let stopped = end(child);
    assert_eq!(stopped.status, Some(1), "{}", stopped.errors);
    assert!(stopped.errors.contains(": stopped"), "{}", stopped.errors);
    assert!(!part.exists());
    assert!(own.exists());
    let left = std::fs::read_dir(temporary.join("")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    left.sort();
    let mut kept = [of(std::process::id()), own.parent().unwrap().to_owned()];
    kept.sort();
    assert_eq!(left, kept);
}

/// No file system is filled here, which only root could make: a limit on the size of files refuses the same writes. It
/// is above the size of the segments of PostgreSQL's log.
#[test]
fn a_full_disk_of_postgresql_is_told_and_the_same_command_goes_on() {
    const LIMITED: &str = "ulimit -S -f 48000 && exec \"$0\" stack --data \"$1\"";
    let (scratch, file) = (Scratch::new(), DuckFile::with_many(3 * ROWS));
    let data = scratch.join("data");
    let mut limited = Command::new("/bin/sh");
    limited
        .env_clear()
        .env("POSTGRES_PORT", "0")
        .env("POSTGRES_DIRECT_PORT", "0")
        .current_dir("/")
        .args(["-c", LIMITED, WARRIOR_API])
        .arg(&data);
    let small = Supervisor::start(&mut limited).unwrap();
    let owner = |stack: &Supervisor| stack.endpoints.owner("warrior_api");
    schema::apply(&mut log_in_directly(&owner(&small)).unwrap(), &mut |_| {}).unwrap();
    let full = ended(&mut import(&file, &owner(&small)), 1);
    assert!(
        full.errors.contains("run the same command again"),
        "{}",
        full.errors
    );
    assert!(full.errors.contains("File too large"), "{}", full.errors);
    assert!(small.stop().success());

    let large = Supervisor::start(stack().arg("--data").arg(&data)).unwrap();
    ended(&mut import(&file, &owner(&large)), 0);
    assert_whole(&file, &mut log_in_directly(&owner(&large)).unwrap());
}
