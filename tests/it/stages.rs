//! Where the time of a request goes: 20 ms more in one stage show in that stage alone.
//!
//! The stages that real means can lengthen are here: queue, connect, database and write. Parse and render are in the unit
//! tests of `api`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use warrior_stack::proxy::{Cut, Proxy};

use crate::api::warrior;
use crate::faults::INSERT;
use crate::http::{Answer, request};
use crate::large;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::openmetrics::open_metrics;
use crate::others::put_trigger;
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Fresh, fresh_database};

/// What is put into one stage.
const INJECTED: Duration = Duration::from_millis(20);
/// What that stage must have grown by, in milliseconds, and no other.
const GROWTH_MIN: f64 = 18.0;
/// The check that a connection lives, before its first use: an empty query.
const PING: &[u8] = b"Q\0\0\0\x05\0";

/// Milliseconds by stage.
type Times = BTreeMap<String, f64>;

#[test]
fn a_slow_statement_is_the_database_s_time() {
    let database = fresh_database();
    let body = "if new.name = 'slow' then perform pg_sleep(0.02); end if; return new;";
    put_trigger(&database, "before insert", "row", body);
    let server = patient(&database);
    server.await_ready();
    let post = |name| times(&post(&server, name));
    assert_grows("database", || post("quick"), || post("slow"));
}

#[test]
fn a_wait_for_a_worker_is_the_queue_s_time() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = patient(&database);
    server.await_ready();
    let quiet = || times(&post(&server, "quick"));
    let behind_another = || {
        let mut lock = TableLock::take(&database);
        thread::scope(|scope| {
            scope.spawn(|| post(&server, "in front"));
            lock.await_waiting(1);
            let behind = scope.spawn(|| times(&post(&server, "behind")));
            server.await_queue("create", 1);
            thread::sleep(INJECTED);
            lock.release();
            behind.join().unwrap()
        })
    };
    assert_grows("queue", quiet, behind_another);
}

#[test]
fn a_connection_that_comes_late_is_the_connect_s_time() {
    let database = fresh_database();
    let through = |proxy: &Proxy| {
        let mut login = database.pooled_login();
        login.port = proxy.port;
        let server = TestServer::with(&login, |server| {
            server.deadline = Duration::from_secs(20);
            server.sizes.pool_min = server.sizes.pool();
        });
        server.await_ready();
        server
    };
    // The connection of a create ends before it is sent, so it gets another, which is checked first.
    let lose_one = |server: &TestServer, proxy: &Proxy| {
        proxy.cut_next(Cut::Request, INSERT, 1);
        times(&post(server, "lost once"))
    };
    let (quick, late) = (proxy(&database), proxy(&database));
    let (of_quick, of_late) = (through(&quick), through(&late));
    late.cut_next(Cut::Late(INJECTED), PING, usize::MAX);
    assert_grows(
        "connect",
        || lose_one(&of_quick, &quick),
        || lose_one(&of_late, &late),
    );
}

#[test]
fn a_client_that_takes_its_answer_late_is_the_write_s_time() {
    let database = fresh_database();
    large::fill(&database);
    let server = patient(&database);
    server.await_ready();
    let search = |pause: Duration| {
        let before = sums(&server);
        let mut client = large::narrow(server.public);
        let get = "GET /warrior?t=large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        client.write_all(get.as_bytes()).unwrap();
        // Some of the answer is there, so all of it is made, and more of it than the sockets hold.
        client.read_exact(&mut [0; 12]).unwrap();
        thread::sleep(pause);
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
        assert!(rest.len() > 1_000_000, "{}", rest.len());
        let after = sums(&server);
        let grown = after
            .iter()
            .map(|(stage, sum)| (stage.clone(), sum - before[stage]));
        grown.collect()
    };
    assert_grows("write", || search(Duration::ZERO), || search(INJECTED));
}

#[test]
fn the_stages_of_all_requests_add_up_to_their_durations() {
    let database = fresh_database();
    let server = patient(&database);
    server.await_ready();
    for n in 0..20 {
        let location = post(&server, &format!("n{n}")).location().to_owned();
        server.get(&location).json(200);
        server.find("n").json(200);
    }
    server
        .post_bytes(&[], b"{}")
        .problem(422, "invalid-warrior");
    let metrics = open_metrics(server.ask_admin("/metrics").text());
    for (lane, status) in [("create", 201), ("find", 200), ("search", 200)] {
        let stages = ["parse", "queue", "connect", "database", "render"];
        let sum: f64 = stages
            .iter()
            .map(|stage| metrics.sample(&of_stage(lane, stage)))
            .sum();
        let labels = format!("{{route=\"{lane}\",status=\"{status}\"}}");
        let name = "http_server_request_duration_seconds_sum";
        let took = metrics.sample(&format!("{name}{labels}"));
        assert!((sum - took).abs() < 1e-6, "{lane}: {sum} of {took}");
        let requests = format!("warrior_lane_requests_total{{lane=\"{lane}\"}}");
        assert_eq!(metrics.sample(&requests), 20.0, "{lane}");
    }
}

#[test]
fn timing_is_told_to_those_who_ask() {
    let database = fresh_database();
    let server = patient(&database);
    server.await_ready();
    assert_eq!(
        server.get("/counting-warriors").header("server-timing"),
        None
    );
    let answer = timed(&server, "GET", "/counting-warriors", b"");
    let all = times(&answer);
    let total: f64 = ["parse", "queue", "connect", "database", "render"]
        .iter()
        .map(|stage| all[*stage])
        .sum();
    // Each is rounded to a microsecond.
    assert!((total - all["total"]).abs() < 0.01, "{all:?}");
    assert!(all["database"] > 0.0, "{all:?}");
    // A request that needs no lane is all parsing; one that is refused is told, too.
    for (target, status) in [("/health", 200), ("/nowhere", 404)] {
        let answer = timed(&server, "GET", target, b"");
        let all = times(&answer);
        assert_eq!((answer.status, all["database"]), (status, 0.0), "{target}");
    }
}

/// Fails unless the stage always takes what was put into it, and until it grows by that, and no other does. On a busy
/// machine others may, for reasons of their own, so the least of a few is taken, and all is repeated.
fn assert_grows(stage: &str, quiet: impl Fn() -> Times, injected: impl Fn() -> Times) {
    let injected_ms = INJECTED.as_secs_f64() * 1e3;
    eventually(stage, || {
        let (before, after) = (least(&quiet), least(&injected));
        assert!(after[stage] >= injected_ms - 1.0, "{stage}: {after:?}");
        let grown = |name: &str| after[name] - before[name];
        println!("{stage}: {before:.3?} then {after:.3?}");
        let mut others = after
            .keys()
            .filter(|name| *name != stage && *name != "total");
        grown(stage) >= GROWTH_MIN && others.all(|name| grown(name) < GROWTH_MIN)
    });
}

/// The least of three for each stage.
fn least(measure: &impl Fn() -> Times) -> Times {
    let mut least = measure();
    for _ in 1..3 {
        for (stage, time) in measure() {
            let entry = least.entry(stage).or_insert(time);
            *entry = entry.min(time);
        }
    }
    least
}

fn times(answer: &Answer) -> Times {
    let field = answer.header("server-timing").expect("it was asked for");
    let metric = |one: &str| {
        let (name, duration) = one.split_once(";dur=").expect("a duration");
        (name.to_owned(), duration.parse().expect("a number"))
    };
    field.split(", ").map(metric).collect()
}

fn timed(server: &TestServer, method: &str, target: &str, body: &[u8]) -> Answer {
    let prefer = [("Prefer", "server-timing")];
    request(server.public, method, target, &prefer, body)
}

fn post(server: &TestServer, name: &str) -> Answer {
    let body = warrior(name).to_string();
    let answer = timed(server, "POST", "/warrior", body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer
}

fn patient(database: &Fresh) -> TestServer {
    TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
    })
}

fn proxy(database: &Fresh) -> Proxy {
    Proxy::to(database.pooled_login().port).unwrap()
}

/// Milliseconds of all searches so far, once none is being written.
fn sums(server: &TestServer) -> Times {
    let stages = ["parse", "queue", "connect", "database", "render", "write"];
    let metrics = open_metrics(server.ask_admin("/metrics").text());
    let sum = |stage: &str| 1e3 * metrics.sample(&of_stage("search", stage));
    stages.map(|stage| (stage.to_owned(), sum(stage))).into()
}

fn of_stage(lane: &str, stage: &str) -> String {
    format!("warrior_stage_seconds_total{{lane=\"{lane}\",stage=\"{stage}\"}}")
}
