//! More than a server can do, and clients that take their time: everybody else is served.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use warrior_stack::descriptors;

use crate::api::warrior;
use crate::http::request;
use crate::large;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::program::{Program, from, serve};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Ending, fresh_database};

/// Slow clients at once, of all kinds in turn.
const SLOW: usize = 1000;
/// Pause after each of them has sent or taken some bytes.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a refused request is repeated.
const REPEATS: usize = 3;
/// Rounds of a normal client beside them.
const ROUNDS: usize = 40;
/// Longer than a busy machine takes for any request of a normal client.
const DEADLINE_MS: &str = "15000";

#[test]
fn a_thousand_slow_clients_leave_a_normal_one_served() {
    descriptors::raise();
    let database = fresh_database();
    large::fill(&database);
    let server = Program::start(
        from(&mut serve(), &database.pooled_login())
            .env("MAX_CONNECTIONS", (SLOW + 100).to_string())
            .env("REQUEST_DEADLINE_MS", DEADLINE_MS),
    );
    // A machine that does much else refuses now and then; a client repeats that.
    let ask = |method, target: &str, body: &[u8]| {
        let once = || request(server.public, method, target, &[], body);
        let mut answers = (0..REPEATS).map(|_| once());
        answers
            .find(|answer| answer.status != 503)
            .unwrap_or_else(once)
    };
    eventually("it is ready", || {
        request(server.admin, "GET", "/ready", &[], b"").status == 200
    });
    let (over, passes) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let ending = Ending(&over);
        scope.spawn(|| {
            let mut clients: Vec<Slow> = (0..SLOW).map(|n| Slow::open(server.public, n)).collect();
            while !over.load(Ordering::Relaxed) {
                passes.fetch_add(1, Ordering::Relaxed);
                for (n, client) in clients.iter_mut().enumerate() {
                    if !client.goes_on() {
                        *client = Slow::open(server.public, n);
                    }
                }
                thread::sleep(PAUSE);
            }
        });
        eventually("all of them are there", || {
            passes.load(Ordering::Relaxed) > 1
        });
        for round in 0..ROUNDS {
            let name = format!("normal {round}");
            let created = ask("POST", "/warrior", warrior(&name).to_string().as_bytes());
            let found = ask("GET", created.location(), b"").json(200);
            assert_eq!(found["name"], json!(name));
            let hits = ask("GET", &format!("/warrior?t=normal+{round}"), b"").json(200);
            assert_eq!(hits[0]["name"], json!(name));
            assert!(ask("GET", "/counting-warriors", b"").json(200)["count"].is_u64());
            assert_eq!(ask("GET", "/health", b"").status, 200);
        }
        drop(ending);
    });
}

/// A client that is slow in one way.
enum Slow {
    /// Sends its request byte by byte: its head, or its body.
    Sender(TcpStream),
    /// Takes a large answer a few bytes at a time.
    Reader(TcpStream),
}

impl Slow {
    /// The nth of them; the server has a request of it, or the beginning of one.
    fn open(address: SocketAddr, n: usize) -> Self {
        let mut stream = large::narrow(address);
        let begin: &[u8] = match n % 3 {
            0 => b"GET /warrior?t=large HTTP/1.1\r\nhost: a\r\nx: ",
            1 => b"POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: 60000\r\n\r\n",
            _ => b"GET /warrior?t=large HTTP/1.1\r\nhost: a\r\n\r\n",
        };
        stream.write_all(begin).unwrap();
        stream.set_nonblocking(true).unwrap();
        match n % 3 {
            0 | 1 => Self::Sender(stream),
            _ => Self::Reader(stream),
        }
    }

    /// Sends a byte or takes some; false once the server has let go of it, or has answered a sender.
    fn goes_on(&mut self) -> bool {
        let waits = |outcome: std::io::Result<usize>| {
            outcome.is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
        };
        match self {
            Self::Sender(stream) => waits(stream.read(&mut [0])) && stream.write_all(b"x").is_ok(),
            Self::Reader(stream) => match stream.read(&mut [0; 16]) {
                Ok(bytes) => bytes > 0,
                outcome => waits(outcome),
            },
        }
    }
}

/// What a create says is not looked at while its lane has no room for it.
#[test]
fn a_create_is_refused_by_its_head_while_the_queue_is_full() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.sizes.queue_max = 1;
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    server
        .post_bytes(&[], b"no JSON")
        .problem(400, "malformed-body");
    let mut lock = TableLock::take(&database);
    thread::scope(|scope| {
        scope.spawn(|| server.post(&warrior("sent")).json(201));
        lock.await_waiting(1);
        scope.spawn(|| server.post(&warrior("queued")).json(201));
        server.await_queue("create", 1);
        let detail = |headers: &[(&str, &str)]| {
            let refused = server
                .post_bytes(headers, b"no JSON")
                .problem(503, "overloaded");
            refused["detail"].to_string()
        };
        assert!(!detail(&[]).contains("earlier"));
        let keyed = detail(&[("Idempotency-Key", "0123456789abcdef")]);
        assert!(
            keyed.contains("an earlier one with the same Idempotency-Key"),
            "{keyed}"
        );
        // Other lanes have room.
        assert_eq!(server.get("/warrior").status, 400);
        lock.release();
    });
    server
        .post_bytes(&[], b"no JSON")
        .problem(400, "malformed-body");
    assert_eq!(server.count(), 2);
}
