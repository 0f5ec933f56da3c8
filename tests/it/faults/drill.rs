//! A server on a stack of its own, under load, and the comparison of its answers with the table.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use warrior_api::config::{Listen, Server, Sizes};
use warrior_api::serve::{self, Running};
use warrior_api::store::schema;
use warrior_stack::proxy::{Cut, Proxy};

use crate::supervisor::{Supervisor, connect, eventually};
use crate::support::{Ending, log_in_directly};

/// What begins a statement that creates.
pub(super) const INSERT: &[u8] = b"insert into";
/// Clients that create at the same time.
pub(super) const CLIENTS: usize = 8;
/// Short, so that drills are.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How much later than its deadline an answer may arrive on a machine that does other things, too.
const SLACK: Duration = Duration::from_secs(2);

/// What an answer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored,
    Refused,
    Unknown,
}

/// One create and its answer.
struct Answer {
    name: String,
    outcome: Outcome,
    /// Path of a stored warrior.
    location: Option<String>,
    /// What settles an unknown one.
    key: Option<String>,
}

/// All creates of one drill, client by client.
pub(super) struct Answers(Vec<Vec<Answer>>);

pub(super) struct Drill {
    runtime: Runtime,
    running: Option<Running>,
    public: SocketAddr,
    admin: SocketAddr,
    stack: Mutex<Supervisor>,
    proxy: Option<Proxy>,
    /// Creates of unknown outcome so far.
    unknown: AtomicU32,
}

impl Drill {
    pub(super) fn start() -> Self {
        Self::on(Supervisor::throw_away(), false)
    }

    pub(super) fn through_proxy() -> Self {
        Self::on(Supervisor::throw_away(), true)
    }

    fn on(stack: Supervisor, through_proxy: bool) -> Self {
        let endpoints = &stack.endpoints;
        let mut owner = log_in_directly(&endpoints.owner("warrior_api")).unwrap();
        schema::apply(&mut owner, &mut |_| {}).unwrap();
        let mut database = endpoints.runtime("warrior_api");
        let proxy = through_proxy.then(|| Proxy::to(database.port).unwrap());
        database.port = proxy.as_ref().map_or(database.port, |proxy| proxy.port);
        let listen = Listen {
            host: [127, 0, 0, 1].into(),
            port: 0,
        };
        let server = Server {
            public: listen,
            admin: listen,
            sizes: Sizes {
                workers_create: 2,
                workers_find: 1,
                workers_search: 1,
                pool_min: 4,
                batch_max: 128,
                queue_max: 1024,
                connections_max: 100,
            },
            memory: None,
            deadline: DEADLINE,
            head_timeout: Duration::from_secs(5),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(5),
        };
        let secret = endpoints.idempotency_secret().read().unwrap();
        let runtime = Runtime::new().unwrap();
        let running = runtime
            .block_on(serve::start(&server, &database, &secret))
            .unwrap();
        let (public, admin) = (running.public, running.admin);
        let drill = Self {
            runtime,
            running: Some(running),
            public,
            admin,
            stack: Mutex::new(stack),
            proxy,
            unknown: AtomicU32::new(0),
        };
        drill.heals();
        drill
    }

    /// Creates warriors from several connections while `fault` runs.
    pub(super) fn while_loading(&self, fault: impl FnOnce()) -> Answers {
        let stop = AtomicBool::new(false);
        let answers = Mutex::new(Vec::new());
        let number = AtomicU32::new(0);
        thread::scope(|scope| {
            let _ending = Ending(&stop);
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let mut client = Http::new(self.public);
                    let mut of_client = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let name = format!("drilled {}", number.fetch_add(1, Ordering::Relaxed));
                        let answer = create(&mut client, name, None);
                        if answer.outcome == Outcome::Unknown {
                            self.unknown.fetch_add(1, Ordering::Relaxed);
                        }
                        of_client.push(answer);
                    }
                    answers.lock().unwrap().push(of_client);
                });
            }
            fault();
        });
        Answers(answers.into_inner().unwrap())
    }

    /// Waits until ten creates in a row succeed.
    pub(super) fn heals(&self) {
        let mut client = Http::new(self.public);
        let mut row = 0;
        eventually("ten creates in a row succeed", || {
            let answer = create(&mut client, "healthy".to_owned(), None);
            row = if answer.outcome == Outcome::Stored {
                row + 1
            } else {
                0
            };
            row == 10
        });
    }

    /// Waits until a create is refused.
    pub(super) fn refuses(&self) {
        let mut client = Http::new(self.public);
        eventually("a create is refused", || {
            create(&mut client, "refused".to_owned(), None).outcome == Outcome::Refused
        });
    }

    /// Whether any create has had an unknown outcome yet.
    pub(super) fn has_unknown(&self) -> bool {
        self.unknown.load(Ordering::Relaxed) > 0
    }

    /// Compares every answer with the table, then settles what is unknown and compares again.
    pub(super) fn settle(&self, answers: Answers) {
        assert!(
            answers.len() > 10,
            "only {} creates were answered",
            answers.len()
        );
        let rows = self.rows();
        for answer in answers.iter() {
            let ids = rows.get(&answer.name).map_or(&[][..], Vec::as_slice);
            match answer.outcome {
                Outcome::Stored => {
                    let [id] = ids else {
                        panic!("{} was stored: {ids:?}", answer.name)
                    };
                    assert_eq!(answer.location, Some(format!("/warrior/{id}")));
                }
                Outcome::Refused => assert!(ids.is_empty(), "{} was refused: {ids:?}", answer.name),
                Outcome::Unknown => assert!(ids.len() <= 1, "{}: {ids:?}", answer.name),
            }
        }
        let mut client = Http::new(self.public);
        for answer in answers.iter().filter(|a| a.outcome == Outcome::Unknown) {
            let settled = create(&mut client, answer.name.clone(), answer.key.as_deref());
            assert_eq!(settled.outcome, Outcome::Stored);
            assert_eq!(settled.location, answer.location);
        }
        let rows = self.rows();
        for answer in answers.iter().filter(|a| a.outcome == Outcome::Unknown) {
            assert_eq!(
                rows.get(&answer.name).map(Vec::len),
                Some(1),
                "{}",
                answer.name
            );
        }
        let stored: usize = rows.values().map(Vec::len).sum();
        let (status, body) = client.ask("GET", "/counting-warriors", "", "");
        assert_eq!((status, body), (200, json!({ "count": stored })));
    }

    pub(super) fn ready(&self) -> String {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        write!(
            socket,
            "GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        response.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(super) fn command(&self, command: &str) {
        self.stack.lock().unwrap().command(command);
    }

    pub(super) fn superuser(&self) -> Client {
        connect(
            &self
                .stack
                .lock()
                .unwrap()
                .endpoints
                .superuser("warrior_api"),
        )
        .unwrap()
    }

    pub(super) fn console(&self) -> Client {
        connect(&self.stack.lock().unwrap().endpoints.pooler_admin()).unwrap()
    }

    pub(super) fn pooler_pid(&self) -> u32 {
        self.stack.lock().unwrap().endpoints.pooler.pid
    }

    pub(super) fn signal_pooler(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.pooler_pid()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// The postmaster, and everything it has started.
    pub(super) fn postgres_processes(&self) -> (u32, Vec<u32>) {
        let postmaster = self.stack.lock().unwrap().endpoints.postgres.pid;
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = std::fs::read_to_string(children).unwrap();
        (
            postmaster,
            children
                .split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect(),
        )
    }

    /// Has the proxy cut the next insert, and waits until it has.
    pub(super) fn cut_next(&self, cut: Cut) {
        let proxy = self
            .proxy
            .as_ref()
            .expect("this drill goes through the proxy");
        proxy.cut_next(cut, INSERT, 1);
        eventually("an insert is cut", || proxy.has_cut(INSERT));
    }

    fn rows(&self) -> HashMap<String, Vec<String>> {
        let sql = "select name::text, id::text from warrior";
        let mut rows: HashMap<String, Vec<String>> = HashMap::new();
        for row in self.superuser().query(sql, &[]).unwrap() {
            rows.entry(row.get(0)).or_default().push(row.get(1));
        }
        rows
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let threads = self.runtime.block_on(running.stop());
            let _ = threads.join(Duration::from_secs(5));
        }
    }
}

impl Answers {
    fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.0.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Times that a client began to be refused. However often it asks until it is served again is one of them, since
    /// an open breaker refuses as fast as a client asks.
    pub(super) fn refusal_spells(&self) -> usize {
        let is_refused = |answer: &Answer| answer.outcome == Outcome::Refused;
        let of_client = |answers: &Vec<Answer>| {
            let spells = answers.chunk_by(|a, b| is_refused(a) == is_refused(b));
            spells.filter(|spell| is_refused(&spell[0])).count()
        };
        self.0.iter().map(of_client).sum()
    }

    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.iter()
            .filter(|answer| answer.outcome == outcome)
            .count()
    }
}

/// Sends one warrior and checks that the answer is one of the three, whole, and in time.
fn create(client: &mut Http, name: String, key: Option<&str>) -> Answer {
    let body = json!({"name": name, "dob": "2000-01-01", "fight_skills": ["drill"]}).to_string();
    let header = key.map_or(String::new(), |key| format!("idempotency-key: {key}\r\n"));
    let began = Instant::now();
    let (status, body) = client.ask("POST", "/warrior", &header, &body);
    assert!(
        began.elapsed() < DEADLINE + SLACK,
        "answered {status} after {:?}",
        began.elapsed()
    );
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let (outcome, location) = match status {
        201 => (
            Outcome::Stored,
            text("id").map(|id| format!("/warrior/{id}")),
        ),
        503 => (Outcome::Refused, None),
        504 => (Outcome::Unknown, text("Location")),
        other => panic!("there is no fourth answer to a write: {other} {body}"),
    };
    Answer {
        name,
        outcome,
        location,
        key: text("idempotency_key"),
    }
}

/// A keep-alive client of the standard library's own sockets.
struct Http(BufReader<TcpStream>);

impl Http {
    fn new(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(DEADLINE + SLACK)).unwrap();
        Self(BufReader::new(socket))
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no status in {line:?}"));
        let status = status.parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}
