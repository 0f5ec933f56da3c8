//! Replies that never come, on connections that stay open: what a pooler or a network device does that forgets.
//! Each worker of a lane loses one; the lane must serve again, and nothing must be left behind.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use warrior_stack::proxy::{Cut, Proxy};

use super::drill::INSERT;
use crate::api::warrior;
use crate::http::{Answer, request};
use crate::program::{Program, from, serve};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::fresh_database;

/// Workers of each lane.
const WORKERS: usize = 2;
/// Deadline of a request.
const DEADLINE: Duration = Duration::from_millis(500);
/// A worker is back after the role's statement_timeout and half a second. Where there is no bound it never is,
/// so there is time for a machine that does other things, too.
const SERVES_WITHIN: Duration = Duration::from_secs(20);

/// A kind of request, and what its statement contains.
#[derive(Clone, Copy, Debug)]
struct Lane {
    name: &'static str,
    statement: &'static [u8],
}

const CREATE: Lane = Lane {
    name: "create",
    statement: INSERT,
};
const FIND: Lane = Lane {
    name: "find",
    statement: b"created_at\n  from public.warrior",
};
const SEARCH: Lane = Lane {
    name: "search",
    statement: b"public.warrior_search",
};

#[test]
fn a_lane_whose_replies_are_all_swallowed_serves_again() {
    drill(Cut::Silence);
}

#[test]
fn a_lane_that_is_answered_with_garbage_serves_again() {
    drill(Cut::Garbage);
}

#[test]
fn a_lane_whose_replies_trickle_serves_again() {
    drill(Cut::Trickle);
}

fn drill(cut: Cut) {
    let database = fresh_database();
    // The first login to a database takes its time, on a busy machine more than the pooler gives it.
    drop(database.runtime());
    let mut login = database.pooled_login();
    let proxy = Proxy::to(login.port).unwrap();
    login.port = proxy.port;
    let program = Program::start(
        from(&mut serve(), &login)
            .env("WORKERS", (3 * WORKERS).to_string())
            .env("DB_POOL_MIN", (3 * WORKERS).to_string())
            .env("REQUEST_DEADLINE_MS", DEADLINE.as_millis().to_string()),
    );
    let lanes = [CREATE, FIND, SEARCH];
    for lane in lanes {
        eventually("the lane serves", || lane.serves(program.public));
    }
    let before = threads(program.pid());
    let unknown: Vec<Value> = thread::scope(|scope| {
        let lose = |lane: Lane| lane.loses_its_replies(&proxy, cut, program.public);
        let lost = lanes.map(|lane| scope.spawn(move || lose(lane)));
        lost.into_iter()
            .flat_map(|lost| lost.join().unwrap())
            .collect()
    });
    eventually("the server is ready", || {
        request(program.admin, "GET", "/ready", &[], b"").status == 200
    });
    eventually("no thread is left behind", || {
        threads(program.pid()) == before
    });
    // What was sent is there once, whatever became of the reply; the key says so.
    let keys: HashSet<&str> = unknown
        .iter()
        .map(|body| text(body, "idempotency_key"))
        .collect();
    assert!(keys.len() >= WORKERS, "{cut:?}: {unknown:?}");
    for body in &unknown {
        let key = [("Idempotency-Key", text(body, "idempotency_key"))];
        let settled = request(program.public, "POST", "/warrior", &key, &body_of_create());
        assert_eq!(settled.location(), text(body, "Location"));
    }
    let rows = "select count(*) = count(distinct id) from warrior";
    let once: bool = database.superuser().query_one(rows, &[]).unwrap().get(0);
    assert!(once);
}

impl Lane {
    fn ask(self, public: SocketAddr) -> Answer {
        let nobody = format!("/warrior/{}", uuid::Uuid::new_v4());
        match self.name {
            "create" => request(public, "POST", "/warrior", &[], &body_of_create()),
            "find" => request(public, "GET", &nobody, &[], b""),
            _ => request(public, "GET", "/warrior?t=nobody", &[], b""),
        }
    }

    /// Whether the database has answered; that nobody has an id is an answer.
    fn serves(self, public: SocketAddr) -> bool {
        self.ask(public).status < 500
    }

    /// Has each worker lose a reply, and waits until the lane serves. Gives the bodies of the creates whose
    /// outcome is unknown.
    fn loses_its_replies(self, proxy: &Proxy, cut: Cut, public: SocketAddr) -> Vec<Value> {
        proxy.cut_next(cut, self.statement, WORKERS);
        let began = Instant::now();
        let answers: Vec<Answer> = thread::scope(|scope| {
            let mut asked = Vec::new();
            while !proxy.has_cut(self.statement) {
                assert!(
                    began.elapsed() < SERVES_WITHIN,
                    "{self:?}: no reply was lost"
                );
                asked.push(scope.spawn(move || self.ask(public)));
                thread::sleep(Duration::from_millis(50));
            }
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        });
        let lost = Instant::now();
        while !self.serves(public) {
            assert!(lost.elapsed() < SERVES_WITHIN, "{self:?} does not serve");
            thread::sleep(Duration::from_millis(20));
        }
        println!(
            "{}: served {:?} after the answers",
            self.name,
            lost.elapsed()
        );
        let unknown = answers.iter().filter(|answer| answer.status == 504);
        unknown
            .map(|answer| answer.problem(504, "outcome-unknown"))
            .collect()
    }
}

/// As [`drill`], where the proxy sees nothing but ciphertext: the next use of each connection is lost.
pub(crate) fn drill_encrypted(server: &TestServer, proxy: &Proxy) {
    server.await_ready();
    server.post(&warrior("n")).json(201);
    proxy.cut_next(Cut::Silence, b"", 1);
    let unknown = server.post(&warrior("n"));
    unknown.problem(504, "outcome-unknown");
    assert!(proxy.has_cut(b""));
    let lost = Instant::now();
    while server.post(&warrior("n")).status != 201 {
        assert!(lost.elapsed() < SERVES_WITHIN);
        thread::sleep(Duration::from_millis(20));
    }
}

fn body_of_create() -> Vec<u8> {
    warrior("lost").to_string().into_bytes()
}

fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}

fn text<'v>(body: &'v Value, field: &str) -> &'v str {
    body[field].as_str().unwrap()
}
