//! Large answers and clients that do not take them: everybody else is served, within the memory there is.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use uuid::Uuid;

use crate::api::warrior;
use crate::http::{Answer, request};
use crate::large;
use crate::openmetrics::open_metrics;
use crate::program::{Program, from, serve};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Ending, fresh_database};

/// What the server may use, in MiB; the program itself is part of it.
const MEMORY: u64 = 64;
/// Many times more answers than fit.
const READERS: usize = 200;
/// Longer than a busy machine takes for a create; how long one takes is for `warrior-load drill --only F2` to tell.
const DEADLINE_MS: &str = "15000";
/// Creates that must be answered while the readers hold their answers.
const CREATES: usize = 400;

#[test]
fn clients_that_do_not_read_take_nothing_from_others() {
    let database = fresh_database();
    large::fill(&database);
    let server = Program::start(
        from(&mut serve(), &database.pooled_login())
            .env("MEMORY_LIMIT_MIB", MEMORY.to_string())
            .env("MAX_CONNECTIONS", "400")
            .env("REQUEST_DEADLINE_MS", DEADLINE_MS),
    );
    let ask = |target: &str| request(server.public, "GET", target, &[], b"");
    let metrics = || open_metrics(request(server.admin, "GET", "/metrics", &[], b"").text());
    let refused = |lane| {
        let name = format!("warrior_refused_total{{lane=\"{lane}\",reason=\"no_memory\"}}");
        metrics().sample(&name)
    };
    eventually("it is ready", || {
        request(server.admin, "GET", "/ready", &[], b"").status == 200
    });
    eventually("a large answer is served", || {
        ask("/warrior?t=large").body.len() > 1_000_000
    });

    let mut readers: Vec<TcpStream> = (0..READERS).map(|_| reader(server.public)).collect();
    eventually("answers are refused", || {
        // One whose own requests were refused holds nothing.
        readers.rotate_left(1);
        readers[0] = reader(server.public);
        refused("search") > 0.0
    });
    let (created, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let _ending = Ending(&over);
                while created.load(Ordering::Relaxed) < CREATES {
                    post(server.public).json(201);
                    created.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(request(server.admin, "GET", "/live", &[], b"").status, 200);
            }
        });
        // New readers, so that answers are read and refused all the time.
        while !over.load(Ordering::Relaxed) {
            let answer = ask("/warrior?t=large");
            if answer.status != 200 {
                answer.problem(503, "overloaded");
            }
        }
    });
    assert_eq!(refused("create"), 0.0);
    let (held, most) = ("warrior_answer_bytes", "warrior_answer_bytes_max");
    assert!(metrics().sample(held) <= metrics().sample(most));
    // A small answer has its place beside the large ones.
    assert_eq!(ask("/warrior?t=nobody").json(200), serde_json::json!([]));
    let peak = memory(server.pid(), "VmHWM");
    assert!(peak < MEMORY * 1024, "{peak} KiB");

    drop(readers);
    eventually("their answers are given back", || {
        metrics().sample(held) == 0.0
    });
    eventually("a large answer is served", || {
        ask("/warrior?t=large").body.len() > 1_000_000
    });
}

/// Rows of an adopted table have no limits.
#[test]
fn a_row_too_large_for_the_memory_is_refused_and_harms_no_other() {
    let database = fresh_database();
    let ids: Vec<Uuid> = [1, 4]
        .iter()
        .map(|mib| {
            let insert = "insert into public.warrior (name, dob, fight_skills)
                          values ('row', '1990-01-31', array_fill(repeat('x', 1000), array[$1::int]))
                          returning id";
            let row = database.owner().query_one(insert, &[&(mib * 1049)]);
            row.unwrap().get(0)
        })
        .collect();
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.memory = Some(1 << 30);
    });
    server.await_ready();
    let skills = |warrior: &serde_json::Value| warrior["fight_skills"].as_array().unwrap().len();
    let one = server.get(&format!("/warrior/{}", ids[0])).json(200);
    assert_eq!(skills(&one), 1049);
    let too_large = server.get(&format!("/warrior/{}", ids[1]));
    too_large.problem(503, "overloaded");
    server.find("row").problem(503, "overloaded");
    let id = database
        .owner()
        .execute("delete from public.warrior where id = $1", &[&ids[1]]);
    assert_eq!(id.unwrap(), 1);
    assert_eq!(skills(&server.find("row").json(200)[0]), 1049);
}

/// A client that asks five times and reads nothing.
fn reader(address: SocketAddr) -> TcpStream {
    let mut stream = large::narrow(address);
    let get = "GET /warrior?t=large HTTP/1.1\r\nhost: a\r\n\r\n".repeat(5);
    stream.write_all(get.as_bytes()).unwrap();
    stream
}

fn post(address: SocketAddr) -> Answer {
    request(
        address,
        "POST",
        "/warrior",
        &[],
        warrior("small").to_string().as_bytes(),
    )
}

/// A figure of a process in KiB, as the kernel tells it.
fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
