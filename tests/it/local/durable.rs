//! What was acknowledged is in the file: after `kill -9`, after a stop, and after a disk that was full.

use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use warrior_duckdb::{Access, Library};

use super::serve_file;
use crate::api::warrior;
use crate::http::{Answer, Wire, request};
use crate::program::Program;
use crate::stores::library;
use crate::supervisor::Scratch;

/// Rounds of writing and killing; twenty were run by hand. The system outlives the process, and its page cache with it: of a
/// loss of power they say nothing.
const KILLS: usize = 5;
/// Clients that write at once.
const CLIENTS: usize = 4;
/// Clients that read back at once.
const READERS: usize = 16;
/// Acknowledged creates of a round after which the kill comes, so that it meets others on their way.
const BEFORE_A_KILL: usize = 25;

/// Posts on kept-alive connections until the server is gone, and gives the locations that it acknowledged.
fn post_until_gone(public: SocketAddr, acknowledged: &(dyn Fn() + Sync)) -> Vec<String> {
    let gone = AtomicBool::new(false);
    let client = |client: usize| {
        let mut locations = Vec::new();
        let Some(mut wire) = Wire::try_open(public) else {
            return locations;
        };
        for number in 0.. {
            let body = warrior(&format!("{client}-{number}")).to_string();
            wire.send(format!(
                "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ));
            let Some(answer) = wire.next_answer() else {
                break;
            };
            if answer.status == 201 {
                locations.push(answer.location().to_owned());
                acknowledged();
            }
            if gone.load(Ordering::Relaxed) {
                break;
            }
        }
        gone.store(true, Ordering::Relaxed);
        locations
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || client(number)))
            .collect();
        (clients.into_iter())
            .flat_map(|client| client.join().unwrap())
            .collect()
    })
}

fn assert_all_are_there(program: &Program, locations: &[String]) {
    // Finds that wait together share a statement.
    let share = locations.len().div_ceil(READERS).max(1);
    thread::scope(|scope| {
        for locations in locations.chunks(share) {
            scope.spawn(move || {
                for location in locations {
                    let found = request(program.public, "GET", location, &[], b"");
                    assert_eq!(found.status, 200, "{location} was acknowledged");
                }
            });
        }
    });
}

fn count(program: &Program) -> usize {
    let count = request(program.public, "GET", "/counting-warriors", &[], b"").json(200);
    usize::try_from(count["count"].as_u64().unwrap()).unwrap()
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let mut all = Vec::new();
    for round in 0..KILLS {
        let mut command = serve_file(&path);
        if round % 2 == 1 {
            // Kills meet checkpoints, too.
            command.env("DUCKDB_WAL_AUTOCHECKPOINT", "4KB");
        }
        let program = Program::start(&mut command);
        let acknowledged = std::sync::atomic::AtomicUsize::new(0);
        let locations = post_until_gone(program.public, &|| {
            if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == BEFORE_A_KILL {
                program.signal(Signal::SIGKILL);
            }
        });
        program.wait();
        assert!(locations.len() >= BEFORE_A_KILL, "{}", locations.len());
        let program = Program::start(&mut serve_file(&path));
        assert_all_are_there(&program, &locations);
        all.extend(locations);
        // At most one request of each client was on its way.
        let stored = count(&program);
        assert!(stored >= all.len(), "{stored} of {}", all.len());
        program.signal(Signal::SIGKILL);
        program.wait();
    }
    let program = Program::start(&mut serve_file(&path));
    assert_all_are_there(&program, &all);
}

#[test]
fn a_stop_finishes_and_leaves_one_file() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let wal = folder.join("app.duckdb.wal");
    let program = Program::start(&mut serve_file(&path));
    let body = warrior("n").to_string();
    let posted = request(program.public, "POST", "/warrior", &[], body.as_bytes());
    let location = posted.location().to_owned();
    assert!(wal.exists());
    let metrics = request(program.admin, "GET", "/metrics", &[], b"");
    let metrics = metrics.text();
    assert!(metrics.contains("warrior_queue_depth{lane=\"create\"} 0"));
    assert!(!metrics.contains("pool_connections"), "{metrics}");
    let mut idle = Wire::open(program.public);
    idle.send("GET /counting-warriors HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(idle.answer().status, 200);
    program.signal(Signal::SIGTERM);
    let (status, lines) = program.wait();
    assert!(status.success(), "{lines:?}");
    assert!(!wal.exists(), "{lines:?}");
    let file = Library::find(Some(&library()))
        .unwrap()
        .open(&path, Access::Read, &[]);
    let kept = "select count(*) from duckdb_tables() where table_name = 'warrior_secret'";
    // The secret is configured, so that none is kept where others could read it.
    assert_eq!(file.unwrap().connect().unwrap().number(kept).unwrap(), 0);
    let program = Program::start(&mut serve_file(&path));
    assert_all_are_there(&program, &[location]);
}

/// The secret of keys that the file keeps outlives its server, and nobody else may read it.
#[test]
fn a_key_means_the_same_after_a_kill_where_the_file_keeps_the_secret() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let serve = || Program::start(serve_file(&path).env_remove("IDEMPOTENCY_SECRET"));
    let post = |program: &Program| {
        let (key, body) = ([("Idempotency-Key", "a-key-of-16-letters")], warrior("n"));
        let body = body.to_string();
        let posted = request(program.public, "POST", "/warrior", &key, body.as_bytes());
        assert_eq!(posted.status, 201, "{posted:?}");
        posted.location().to_owned()
    };
    let program = serve();
    let first = post(&program);
    for path in [&path, &folder.join("app.duckdb.wal")] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    program.signal(Signal::SIGKILL);
    program.wait();
    let program = serve();
    assert_eq!(post(&program), first);
    assert_eq!(count(&program), 1);
}

/// What became of creates on a disk that fills up.
#[derive(Default)]
struct Fates {
    acknowledged: Vec<String>,
    /// Numbers of creates that were answered 503.
    refused: Vec<usize>,
    /// Those that were answered 504, or not at all.
    unknown: Vec<usize>,
    /// Whether the server is gone.
    gone: bool,
    /// The longest time until an answer.
    slowest: Duration,
}

fn name(number: usize) -> String {
    format!("warrior-{number:05}")
}

/// Posts one with a key; none when the server is gone.
fn post_large(program: &Program, number: usize) -> Option<Answer> {
    // Hashes, which no compression makes smaller.
    let hash =
        |part: usize| BuildHasherDefault::<DefaultHasher>::default().hash_one((number, part));
    let text = |skill: usize| {
        (0..13)
            .map(|part| format!("{:016x}", hash(13 * skill + part)))
            .collect()
    };
    let skills: Vec<String> = (0..20).map(text).collect();
    let body =
        json!({"name": name(number), "dob": "2000-01-01", "fight_skills": skills}).to_string();
    let mut wire = Wire::try_open(program.public)?;
    wire.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\nidempotency-key: key-of-warrior-{number}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    wire.next_answer()
}

fn post_until_full(program: &Program) -> Fates {
    let mut fates = Fates::default();
    for number in 0..2000 {
        let posted = Instant::now();
        let answer = post_large(program, number);
        fates.slowest = fates.slowest.max(posted.elapsed());
        match answer {
            Some(answer) if answer.status == 201 => {
                fates.acknowledged.push(answer.location().to_owned());
            }
            Some(answer) if answer.status == 503 => fates.refused.push(number),
            Some(answer) if answer.status == 504 => fates.unknown.push(number),
            Some(answer) => panic!("{answer:?}"),
            None => {
                fates.unknown.push(number);
                fates.gone = true;
            }
        }
        if fates.gone || fates.refused.len() + fates.unknown.len() >= 10 {
            return fates;
        }
    }
    panic!("the limit was never met");
}

/// A limit of the size of files stands for a full disk.
fn serve_on_a_small_disk(path: &Path, checkpoint_at: &str) -> Command {
    let mut unlimited = serve_file(path);
    unlimited.env("DUCKDB_WAL_AUTOCHECKPOINT", checkpoint_at);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" serve"])
        .arg(unlimited.get_program())
        .env_clear()
        .envs(
            unlimited
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir("/");
    limited
}

/// What clients were told is so once there is room again; keys settle what they were not told.
fn assert_kept(path: &Path, fates: &Fates) {
    let program = Program::start(&mut serve_file(path));
    assert_all_are_there(&program, &fates.acknowledged);
    let hits = |number: usize| {
        let found = format!("/warrior?t={}", name(number));
        let found = request(program.public, "GET", &found, &[], b"").json(200);
        found.as_array().unwrap().len()
    };
    for number in &fates.refused {
        assert_eq!(hits(*number), 0, "{number} was answered 503");
    }
    for number in &fates.unknown {
        let again = post_large(&program, *number).unwrap();
        assert_eq!(again.status, 201, "{again:?}");
        assert_eq!(hits(*number), 1, "{number} was in doubt");
    }
    let stored = fates.acknowledged.len() + fates.unknown.len();
    assert_eq!(count(&program), stored);
}

#[test]
fn a_disk_that_has_no_room_for_the_log_leaves_creates_in_doubt_and_what_was_acknowledged_there() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let program = Program::start(&mut serve_on_a_small_disk(&path, "16MB"));
    let fates = post_until_full(&program);
    assert!(!fates.acknowledged.is_empty());
    // DuckDB tells of it at the commit.
    assert!(!fates.unknown.is_empty());
    if !fates.gone {
        program.signal(Signal::SIGKILL);
    }
    program.wait();
    assert_kept(&path, &fates);
}

/// A supervisor starts it again, which is the only way back.
#[test]
fn a_disk_that_has_no_room_for_a_checkpoint_ends_the_server_and_loses_nothing() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    let program = Program::start(&mut serve_on_a_small_disk(&path, "64KB"));
    let fates = post_until_full(&program);
    assert!(!fates.acknowledged.is_empty());
    // No request waits until its deadline (3 s) for a file that does not come back.
    assert!(
        fates.slowest < Duration::from_secs(2),
        "{:?}",
        fates.slowest
    );
    let (status, lines) = program.wait();
    assert_eq!(status.code(), Some(1), "{lines:#?}");
    assert!(lines.join("\n").contains("has given"), "{lines:#?}");
    assert_kept(&path, &fates);
}
