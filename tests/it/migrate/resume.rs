//! Imports that are cut off, and go on.

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use warrior_api::store::schema;

use super::{DuckFile, assert_whole, begin, end, ended, import, number};
use crate::supervisor::{Scratch, Supervisor, WARRIOR_API, kill_9, stack};
use crate::support::{fresh_database, fresh_database_on, log_in_directly};

/// Some chunks.
const ROWS: u32 = 60_000;
/// Longest time that a chunk may take on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(300);
const PROGRESS: &str = "select coalesce(max(rows), 0)::bigint from warrior_import";

/// Waits until `rows` are done, or the program has ended.
fn wait_for(rows: i64, child: &mut Child, client: &mut Client) {
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
    }
    let last = ended(&mut import(&file, &login), 0);
    let said = format!("an earlier import of this file has done {ROWS} rows; going on from there");
    assert!(last.errors.contains(&said), "{}", last.errors);
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

#[test]
fn a_restart_of_postgresql_is_survived_by_the_same_command() {
    let mut stack = Supervisor::throw_away();
    let (file, database) = (
        DuckFile::with_many(ROWS),
        fresh_database_on(&stack.endpoints),
    );
    let mut child = begin(&mut import(&file, &database.owner_login()));
    wait_for(1, &mut child, &mut database.owner());
    stack.command("stop postgres");
    let cut_off = end(child);
    assert_eq!(cut_off.status, Some(1), "{}{}", cut_off.out, cut_off.errors);
    assert!(
        cut_off.errors.contains("run the same command again"),
        "{}",
        cut_off.errors
    );
    stack.command("start postgres");
    ended(&mut import(&file, &database.owner_login()), 0);
    assert_whole(&file, &mut database.owner());
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
