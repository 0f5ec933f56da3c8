//! A server on a stack of its own, under load, and the comparison of its answers with the table.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use serde_json::json;
use tokio::runtime::Runtime;
use warrior_api::config::{Listen, Server, Sizes};
use warrior_api::serve::{self, Running};
use warrior_api::store::schema;
use warrior_stack::proxy::{Cut, Proxy};

use super::answers::{Answers, Http, Outcome, create};
use crate::supervisor::{Supervisor, connect, eventually};
use crate::support::{Ending, log_in_directly};

/// What begins a statement that creates.
pub(crate) const INSERT: &[u8] = b"insert into";
/// Clients that create at the same time.
pub(super) const CLIENTS: usize = 8;
/// Deadline of requests: short, so that drills are.
const DEADLINE: Duration = Duration::from_millis(1500);
/// The same where an outage is to be waited out. A busy machine starts PostgreSQL in less than half of it.
const LONG_DEADLINE: Duration = Duration::from_secs(40);

pub(super) struct Drill {
    runtime: Runtime,
    running: Option<Running>,
    public: SocketAddr,
    admin: SocketAddr,
    deadline: Duration,
    stack: Mutex<Supervisor>,
    proxy: Option<Proxy>,
    /// Creates of unknown outcome so far.
    unknown: AtomicU32,
}

impl Drill {
    pub(super) fn start() -> Self {
        Self::on(Supervisor::throw_away(), false, DEADLINE)
    }

    /// Its requests outlast the restart of whatever they need.
    pub(super) fn patient() -> Self {
        Self::on(Supervisor::throw_away(), false, LONG_DEADLINE)
    }

    pub(super) fn through_proxy() -> Self {
        Self::on(Supervisor::throw_away(), true, DEADLINE)
    }

    fn on(stack: Supervisor, through_proxy: bool, deadline: Duration) -> Self {
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
            monitoring: None,
            memory: None,
            deadline,
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
            deadline,
            stack: Mutex::new(stack),
            proxy,
            unknown: AtomicU32::new(0),
        };
        drill.heals();
        drill
    }

    pub(super) fn client(&self) -> Http {
        Http::new(self.public, self.deadline)
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
                    let mut client = self.client();
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
        let mut client = self.client();
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

    /// Waits until the server knows that its database is gone, and lets requests wait for it.
    pub(super) fn waits(&self) {
        eventually("requests wait for the database", || {
            let said = self.ready();
            assert!(said.starts_with("ready"), "{said}");
            said.contains("requests wait")
        });
        eventually("the live page names the outage", || {
            self.admin("/figures")
                .contains("The database has not answered for")
        });
    }

    /// Waits until a create is refused.
    pub(super) fn refuses(&self) {
        let mut client = self.client();
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
        let mut client = self.client();
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

    /// Waits for an answer of the probe that begins so. What a create was told may be ahead of it.
    pub(super) fn answers_ready(&self, begin: &str) {
        eventually(&format!("/ready says {begin:?}"), || {
            self.ready().starts_with(begin)
        });
    }

    pub(super) fn ready(&self) -> String {
        self.admin("/ready")
    }

    pub(super) fn admin(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
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
