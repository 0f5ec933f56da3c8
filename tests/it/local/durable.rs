//! What was acknowledged is in the file: after `kill -9`, after a stop, and after a disk that was full.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use serde_json::json;

use super::serve_file;
use crate::api::warrior;
use crate::http::{Wire, request};
use crate::program::Program;
use crate::supervisor::Scratch;

/// Rounds of writing and killing; twenty were run by hand.
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
    for _ in 0..KILLS {
        let program = Program::start(&mut serve_file(&path));
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
    let program = Program::start(&mut serve_file(&path));
    assert_all_are_there(&program, &[location]);
}

/// A limit of the size of files stands for a full disk. Keys tell afterwards what became of each attempt.
#[test]
fn a_full_disk_is_503_or_504_and_what_was_acknowledged_is_there() {
    let folder = Scratch::new();
    let path = folder.join("app.duckdb");
    // The file itself is made without a limit.
    let program = Program::start(&mut serve_file(&path));
    program.signal(Signal::SIGTERM);
    program.wait();
    let mut limited = Command::new("sh");
    let unlimited = serve_file(&path);
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 8192; exec \"$0\" serve"])
        .arg(unlimited.get_program())
        .env_clear()
        .envs(
            unlimited
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir("/");
    let program = Program::start(&mut limited);
    let post = |program: &Program, number: usize| {
        let skill = format!("{number} {}", "s".repeat(200));
        let body = json!({"name": "n", "dob": "2000-01-01", "fight_skills": vec![skill; 20]});
        let key = format!("key-of-warrior-{number}");
        let headers = [("Idempotency-Key", key.as_str())];
        request(
            program.public,
            "POST",
            "/warrior",
            &headers,
            body.to_string().as_bytes(),
        )
    };
    let (mut acknowledged, mut refused, mut unknown) = (Vec::new(), 0, 0);
    for number in 0..2000 {
        let answer = post(&program, number);
        match answer.status {
            201 => acknowledged.push(answer.location().to_owned()),
            503 => refused += 1,
            504 => unknown += 1,
            _ => panic!("{answer:?}"),
        }
        if refused + unknown >= 10 {
            break;
        }
    }
    assert!(refused + unknown >= 10, "the limit was never met");
    assert!(!acknowledged.is_empty());
    let lines = program.lines();
    program.signal(Signal::SIGKILL);
    program.wait();
    let program = Program::start(&mut serve_file(&path));
    assert_all_are_there(&program, &acknowledged);
    let stored = count(&program);
    let most = acknowledged.len() + unknown;
    assert!(
        (acknowledged.len()..=most).contains(&stored),
        "{stored} of {most}: {lines:#?}"
    );
}
