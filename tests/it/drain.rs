//! How a server ends: it says no first, finishes what is open, and does not wait for ever.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::api::warrior;
use crate::http::{Wire, request};
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::program::{Program, from, serve};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::fresh_database;
use crate::wire::GET;

#[test]
fn a_drain_says_no_first_and_finishes_what_is_open() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.drain_delay = Duration::from_millis(500);
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    let (public, admin) = (server.public, server.admin);
    let (mut idle, mut silent) = (server.wire(), server.wire());
    for wire in [&mut idle, &mut silent] {
        wire.send(GET);
        assert_eq!(wire.answer().status, 200);
    }
    let mut lock = TableLock::take(&database);
    let post = |name: &'static str| {
        let body = warrior(name).to_string();
        let mut wire = Wire::open(public);
        wire.send(format!(
            "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        wire
    };
    let mut sent = post("sent");
    lock.await_waiting(1);
    let mut queued = post("queued");
    server.await_queue("create", 1);

    let stopping = thread::spawn(move || server.stop());
    let ready = || request(admin, "GET", "/ready", &[], b"");
    eventually("/ready says no", || ready().text().contains("draining"));
    assert_eq!(ready().status, 503);
    // Whoever has not asked yet is still served, once.
    idle.send(GET);
    let answer = idle.answer();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    idle.assert_closed();
    eventually("the listener is closed", || {
        TcpStream::connect(public).is_err()
    });
    silent.assert_closed();
    // Two requests are still open, and the admin listener tells so until the end.
    assert!(ready().text().contains("draining"));
    assert!(!stopping.is_finished());

    lock.release();
    for wire in [&mut sent, &mut queued] {
        let answer = wire.answer();
        answer.json(201);
        assert_eq!(answer.header("connection"), Some("close"));
        wire.assert_closed();
    }
    stopping.join().expect("the server stops");
    assert!(TcpStream::connect(admin).is_err());
    let count = "select count(*) from warrior";
    let stored: i64 = database.runtime().query_one(count, &[]).unwrap().get(0);
    assert_eq!(stored, 2);
}

#[test]
fn a_drain_does_not_wait_for_ever() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.drain_timeout = Duration::from_millis(300);
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    let mut lock = TableLock::take(&database);
    let mut wire = server.wire();
    let body = warrior("n").to_string();
    wire.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    lock.await_waiting(1);
    let began = Instant::now();
    server.stop();
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    // No answer is better than a wrong one.
    wire.assert_closed();
}

#[test]
fn only_requests_are_missed_at_the_end_of_a_drain() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let program = Program::start(
        from(&mut serve(), &database.pooled_login())
            .env("REQUEST_DEADLINE_MS", "20000")
            .env("DRAIN_TIMEOUT_MS", "1000"),
    );
    eventually("it is ready", || {
        request(program.admin, "GET", "/ready", &[], b"").status == 200
    });
    let kept = |address, target| {
        let mut wire = Wire::open(address);
        wire.send(format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert_eq!(wire.answer().status, 200);
        wire
    };
    let _idle = [
        kept(program.public, "/health"),
        kept(program.admin, "/live"),
    ];
    let mut lock = TableLock::take(&database);
    let mut open = kept(program.public, "/health");
    let body = warrior("n").to_string();
    open.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    lock.await_waiting(1);
    let public = program.public;
    program.signal(Signal::SIGTERM);
    let (_, said) = program.wait();
    let missed: Vec<_> = said
        .iter()
        .filter(|line| line.contains("still open"))
        .collect();
    assert_eq!(missed.len(), 1, "{said:?}");
    for word in [format!("listener={public}"), "requests=1".to_owned()] {
        assert!(missed[0].contains(&word), "{word} in {missed:?}");
    }
}

#[test]
fn a_drain_without_a_timeout_misses_no_idle_connection() {
    let database = fresh_database();
    let program =
        Program::start(from(&mut serve(), &database.pooled_login()).env("DRAIN_TIMEOUT_MS", "0"));
    let idle: Vec<Wire> = (0..20)
        .map(|_| {
            let mut wire = Wire::open(program.public);
            wire.send(GET);
            assert_eq!(wire.answer().status, 200);
            wire
        })
        .collect();
    program.signal(Signal::SIGTERM);
    let (_, said) = program.wait();
    assert!(
        !said.iter().any(|line| line.contains("still open")),
        "{said:?}"
    );
    idle.into_iter().for_each(|mut wire| wire.assert_closed());
}
