//! The three answers to a write, and what each of them promises, provoked for real.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::api::warrior;
use crate::http::Answer;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::server::TestServer;
use crate::supervisor::{Supervisor, eventually};
use crate::support::{Fresh, fresh_database, fresh_database_on};

const KEY: &str = "0123456789abcdef";

#[test]
fn an_unknown_outcome_is_settled_by_the_key_in_its_body() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    let mut lock = TableLock::take(&database);
    let unknown = server.post(&warrior("n"));
    let (key, location) = settle(&unknown);
    lock.await_waiting(1);
    // While it is unknown it stays unknown, and stays the same warrior.
    let still = server.post_keyed(&key, &warrior("n"));
    assert_ne!(still.status, 201);
    lock.release();
    eventually("the first attempt is committed", || server.count() == 1);
    assert_settled(&server, &key, &location);
}

#[test]
fn an_attempt_that_was_undone_after_its_504_is_settled_too() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    let mut lock = TableLock::take(&database);
    let unknown = server.post(&warrior("n"));
    let (key, location) = settle(&unknown);
    lock.await_waiting(1);
    // PostgreSQL ends the statement; nothing was stored.
    lock.terminate_waiting();
    lock.await_waiting(0);
    lock.release();
    eventually("a create goes through again", || {
        server.post(&warrior("another")).status == 201
    });
    let before = server.count();
    server.get(&location).problem(404, "not-found");
    let settled = server.post_keyed(&key, &warrior("n"));
    assert_eq!(settled.location(), location);
    assert_eq!(server.count(), before + 1);
}

#[test]
fn a_client_s_own_key_settles_an_unknown_outcome() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    let lock = TableLock::take(&database);
    let unknown = server.post_keyed(KEY, &warrior("n"));
    let (key, location) = settle(&unknown);
    assert_eq!(key, KEY);
    lock.release();
    eventually("the first attempt is committed", || server.count() == 1);
    assert_settled(&server, KEY, &location);
}

#[test]
fn a_request_that_waited_until_its_deadline_is_never_stored() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    let mut lock = TableLock::take(&database);
    thread::scope(|scope| {
        // Sent, so unknown; the one worker waits with it.
        scope.spawn(|| settle(&server.post(&warrior("sent"))));
        lock.await_waiting(1);
        // Only queued, so certainly not stored.
        let queued = scope.spawn(|| server.post(&warrior("queued")));
        server.await_queue("create", 1);
        queued.join().unwrap().problem(503, "overloaded");
    });
    lock.release();
    eventually("what was sent is committed", || server.count() == 1);
    // The count may be there before the worker is; until it comes, a request may be refused.
    eventually("the worker is free again", || {
        let answer = server.post(&warrior("after"));
        answer.status == 201 || answer.problem(503, "overloaded").is_null()
    });
    assert_eq!(server.names("queued"), [""; 0]);
    assert_eq!(server.count(), 2);
}

#[test]
fn a_lock_that_times_out_is_503_and_not_stored() {
    let database = fresh_database();
    // A deadline longer than both attempts of the role's lock_timeout of one second.
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    let location = server.post(&warrior("before")).location().to_owned();
    let lock = TableLock::take(&database);
    let refused = |answer: Answer| answer.problem(503, "unavailable");
    thread::scope(|scope| {
        scope.spawn(|| refused(server.post(&warrior("refused"))));
        scope.spawn(|| refused(server.get(&location)));
        scope.spawn(|| refused(server.find("before")));
    });
    lock.release();
    assert_eq!(server.count(), 1);
    assert_eq!(server.names("refused"), [""; 0]);
    server.post(&warrior("after")).json(201);
}

#[test]
fn a_lane_that_waits_for_the_database_in_vain_is_not_ready_until_it_is_back() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    let lock = TableLock::take(&database);
    // The table is held against searches and finds, too, but nobody asks for any.
    eventually("/ready names the lane", || {
        assert_ne!(server.post(&warrior("n")).status, 201);
        is_not_ready(&server, "create")
    });
    lock.release();
    // Without a request: who is taken out of a balancer gets none.
    server.await_ready();
    eventually("a create is taken", || {
        server.post(&warrior("n")).status == 201
    });
}

#[test]
fn a_lane_whose_batches_fail_is_not_ready_for_a_while() {
    let database = fresh_database();
    let server = impatient(&database);
    let mut owner = database.owner();
    owner
        .batch_execute("revoke insert on warrior from warrior")
        .unwrap();
    // On a busy machine a create may meet its short deadline before the database has refused it.
    let refused = |server: &TestServer| {
        eventually("a create is refused", || {
            let answer = server.post(&warrior("n"));
            let in_time = answer.status != 504;
            if in_time {
                answer.problem(503, "unavailable");
            }
            in_time
        });
    };
    // One failure, or a few at once, may be a passing fault.
    refused(&server);
    assert_eq!(server.ask_admin("/ready").status, 200);
    eventually("/ready names the lane", || {
        refused(&server);
        is_not_ready(&server, "create")
    });
    assert_eq!(server.find("n").status, 200, "the other lanes serve");
    // Nobody sends anything, and the lane gets another chance; while it fails, it is taken.
    server.await_ready();
    refused(&server);
    assert!(is_not_ready(&server, "create"));
    owner
        .batch_execute("grant insert on warrior to warrior")
        .unwrap();
    server.post(&warrior("n")).json(201);
    assert_eq!(server.ask_admin("/ready").status, 200);
}

fn is_not_ready(server: &TestServer, lane: &str) -> bool {
    let answer = server.ask_admin("/ready");
    let named = format!("the {lane} lane does not serve");
    answer.status == 503 && answer.text().contains(&named)
}

/// The commit happens while the pooler that would have confirmed it stands still.
#[test]
fn a_pooler_that_stops_between_send_and_answer_makes_an_unknown_outcome() {
    let stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    wait_for_locks_for_ever(&database);
    let server = impatient(&database);
    server.await_ready();
    let mut direct = database.runtime();
    let mut lock = TableLock::take(&database);
    let pooler = Paused::new(stack.endpoints.pooler.pid);
    pooler.go_on();
    let unknown = thread::scope(|scope| {
        let answer = scope.spawn(|| server.post(&warrior("n")));
        lock.await_waiting(1);
        pooler.stop();
        lock.release();
        answer.join().unwrap()
    });
    let (key, location) = settle(&unknown);
    let rows = |client: &mut postgres::Client| -> i64 {
        let sql = "select count(*) from warrior";
        client.query_one(sql, &[]).unwrap().get(0)
    };
    eventually("it is committed all the same", || rows(&mut direct) == 1);

    // Nothing hangs meanwhile: each request is answered by its deadline, and the process lives.
    let began = Instant::now();
    let read = server.get(&location);
    assert_eq!(read.status, 503, "{}", read.text());
    let write = server.post_keyed(&key, &warrior("n"));
    assert!(matches!(write.status, 503 | 504), "{}", write.text());
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.ask_admin("/ready").status, 503);

    pooler.go_on();
    eventually("a repeated request is answered", || {
        server.post_keyed(&key, &warrior("n")).status == 201
    });
    assert_settled(&server, &key, &location);
}

#[test]
fn a_database_that_is_down_is_503_until_it_is_back() {
    let mut stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    let server = TestServer::start(&database.pooled_login());
    let location = server.post(&warrior("before")).location().to_owned();
    let mut stored = 1;
    for part in ["postgres", "pooler"] {
        stack.command(&format!("stop {part}"));
        // The first may be lost on a connection that was good; its outcome is told as unknown then.
        let first = server.post(&warrior("first"));
        assert!(matches!(first.status, 503 | 504), "{}", first.text());
        let reads = ["/counting-warriors", "/warrior?t=before", &location];
        for target in reads {
            let answer = server.get(target);
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        eventually("the breaker is open", || is_open(&server));
        // Refused at the door: one that waits for the database takes its deadline of three seconds.
        for _ in 0..100 {
            let began = Instant::now();
            server.post(&warrior("down")).problem(503, "unavailable");
            let took = began.elapsed();
            assert!(took < Duration::from_secs(2), "{took:?}");
        }
        server
            .post_keyed(KEY, &warrior("down"))
            .problem(503, "unavailable");
        assert_eq!(server.get("/health").status, 200);
        assert_eq!(server.ask_admin("/live").status, 200);
        assert_eq!(server.ask_admin("/ready").status, 503);

        stack.command(&format!("start {part}"));
        let began = Instant::now();
        server.await_ready();
        eventually("requests are let in again", || {
            server.get(&location).status == 200
        });
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        if first.status == 504 {
            let (key, location) = settle(&first);
            assert_eq!(
                server.post_keyed(&key, &warrior("first")).location(),
                location
            );
            stored += 1;
        }
        assert_eq!(server.names("down"), [""; 0]);
        assert_eq!(server.count(), stored);
    }
    server.post_keyed(KEY, &warrior("after")).json(201);
}

fn is_open(server: &TestServer) -> bool {
    let metrics = server.ask_admin("/metrics");
    metrics
        .text()
        .lines()
        .any(|line| line == "warrior_breaker_open 1")
}

/// A process that is stopped and continued. It is continued at the end, whatever happens.
struct Paused(Pid);

impl Paused {
    fn new(pid: u32) -> Self {
        Self(Pid::from_raw(pid.try_into().unwrap()))
    }

    fn stop(&self) {
        kill(self.0, Signal::SIGSTOP).expect("it runs and is ours");
    }

    fn go_on(&self) {
        kill(self.0, Signal::SIGCONT).expect("it exists and is ours");
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

/// A server whose deadline comes soon.
fn impatient(database: &Fresh) -> TestServer {
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_millis(700);
    });
    // The first logins take longer than the first deadline allows.
    server.await_ready();
    eventually("the lanes have their connections", || {
        server.count() == 0 && server.find("x").status == 200
    });
    server
}

/// What a 504 carries: the key and the place.
fn settle(unknown: &Answer) -> (String, String) {
    let problem = unknown.problem(504, "outcome-unknown");
    let text = |field: &str| match &problem[field] {
        Value::String(text) => text.clone(),
        other => panic!("{field}: {other}"),
    };
    let location = text("Location");
    assert_eq!(location, format!("/warrior/{}", text("id")));
    assert_eq!(unknown.header("location"), None);
    (text("idempotency_key"), location)
}

/// The key of a warrior that was stored after all leads to it, and stores nothing more.
fn assert_settled(server: &TestServer, key: &str, location: &str) {
    // The row may be there before the worker is; until it comes, a request may be refused.
    let mut settled = server.post_keyed(key, &warrior("n"));
    eventually("the worker is free again", || {
        let refused = settled.status == 503;
        if refused {
            settled = server.post_keyed(key, &warrior("n"));
        }
        !refused
    });
    assert_eq!(settled.location(), location);
    assert_eq!(server.count(), 1);
    let found = server.get(location).json(200);
    assert_eq!(found["name"], json!("n"));
    let other = server.post_keyed(key, &warrior("another"));
    other.problem(422, "idempotency-key-reused");
}
