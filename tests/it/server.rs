//! The server in this process, small enough that many fit behind one pooler.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use warrior_api::config::{Database, Listen, Secret, Server, Sizes};
use warrior_api::serve::{self, Running};
use warrior_api::store::{Postgres, Store};

use crate::http::{Answer, Wire, request};
use crate::supervisor::eventually;

/// What a worker may take to finish its batch.
const WORKERS_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the first login to a database is waited for.
const FIRST_LOGIN: Duration = Duration::from_secs(10);

/// A running server. Dropping it drains it.
pub(crate) struct TestServer {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    runtime: Runtime,
    /// There until it is stopped.
    running: Option<Running>,
}

impl TestServer {
    pub(crate) fn start(database: &Database) -> Self {
        Self::with(database, |_| {})
    }

    /// A server that differs from the usual one.
    pub(crate) fn with(database: &Database, change: impl FnOnce(&mut Server)) -> Self {
        let mut server = small();
        change(&mut server);
        Self::from(&server, database, Some(&Secret::new("of the tests")))
    }

    /// A server whose lanes know the store within what `wrap` puts around it.
    pub(crate) fn within<S: Store>(database: &Database, wrap: impl FnOnce(Postgres) -> S) -> Self {
        let secret = Secret::new("of the tests");
        let server = Self::starting(serve::start_within(&small(), database, &secret, wrap));
        server.await_first_login(database);
        server
    }

    /// A server that reads the secret of idempotency keys from its database.
    pub(crate) fn without_secret(database: &Database) -> Self {
        Self::from(&small(), database, None)
    }

    /// A server on the DuckDB file at `path`.
    #[cfg(feature = "duckdb")]
    pub(crate) fn on_file(path: &std::path::Path, change: impl FnOnce(&mut Server)) -> Self {
        let mut server = small();
        change(&mut server);
        let local = warrior_api::config::Local {
            file: path.to_owned(),
            library: Some(crate::stores::library()),
            checkpoint_at: None,
        };
        let store = serve::open_local(&server, &local).expect("the file opens");
        let secret = Secret::new("of the tests");
        Self::starting(serve::start_local(&server, store, Some(&secret)))
    }

    fn from(server: &Server, database: &Database, secret: Option<&Secret>) -> Self {
        let server = Self::starting(serve::start(server, database, secret));
        server.await_first_login(database);
        server
    }

    fn starting(starting: impl Future<Output = anyhow::Result<Running>>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let running = runtime.block_on(starting).expect("the server starts");
        Self {
            public: running.public,
            admin: running.admin,
            runtime,
            running: Some(running),
        }
    }

    /// On a busy machine the first login takes longer than a request waits for it. A database that is not there, or
    /// keeps silent, is not waited for: some tests are about that.
    fn await_first_login(&self, database: &Database) {
        if TcpStream::connect((database.host.as_str(), database.port)).is_err() {
            return;
        }
        let until = Instant::now() + FIRST_LOGIN;
        let logs_in = |answer: &Answer| {
            let why = answer.text();
            [
                "timed out",
                "no login at",
                "no answer from",
                "not been read",
            ]
            .iter()
            .any(|words| why.contains(words))
        };
        while Instant::now() < until && logs_in(&self.ask_admin("/ready")) {
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::open(self.public)
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        request(self.public, "GET", target, &[], b"")
    }

    pub(crate) fn post(&self, warrior: &Value) -> Answer {
        self.post_bytes(&[], warrior.to_string().as_bytes())
    }

    pub(crate) fn post_keyed(&self, key: &str, warrior: &Value) -> Answer {
        self.post_bytes(&[("Idempotency-Key", key)], warrior.to_string().as_bytes())
    }

    pub(crate) fn post_bytes(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.public, "POST", "/warrior", headers, body)
    }

    /// What a search for `term` answers.
    pub(crate) fn find(&self, term: &str) -> Answer {
        let term = utf8_percent_encode(term, NON_ALPHANUMERIC);
        self.get(&format!("/warrior?t={term}"))
    }

    /// The names that a search for `term` finds, in its order.
    pub(crate) fn names(&self, term: &str) -> Vec<String> {
        let hits = self.find(term).json(200);
        let hits = hits.as_array().expect("an array");
        hits.iter()
            .map(|hit| hit["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    pub(crate) fn count(&self) -> i64 {
        let body = self.get("/counting-warriors").json(200);
        body["count"].as_i64().expect("a number")
    }

    pub(crate) fn ask_admin(&self, target: &str) -> Answer {
        request(self.admin, "GET", target, &[], b"")
    }

    /// Waits until this many requests wait in a lane.
    pub(crate) fn await_queue(&self, lane: &str, depth: usize) {
        let line = format!("warrior_queue_depth{{lane=\"{lane}\"}} {depth}");
        eventually(&line, || {
            self.ask_admin("/metrics").text().lines().any(|l| l == line)
        });
    }

    pub(crate) fn await_ready(&self) {
        eventually("the server is ready", || {
            self.ask_admin("/ready").status == 200
        });
    }

    /// Stops the server, and returns once it has ended.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = self.runtime.block_on(running.stop()).join(WORKERS_TIMEOUT);
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn small() -> Server {
    let anywhere = Listen {
        host: Ipv4Addr::LOCALHOST.into(),
        port: 0,
    };
    Server {
        public: anywhere,
        admin: anywhere,
        sizes: Sizes {
            workers_create: 1,
            workers_find: 1,
            workers_search: 1,
            pool_min: 0,
            batch_max: 128,
            queue_max: 2048,
            connections_max: 256,
        },
        monitoring: None,
        memory: None,
        deadline: Duration::from_secs(3),
        head_timeout: Duration::from_secs(5),
        drain_delay: Duration::ZERO,
        drain_timeout: Duration::from_secs(8),
    }
}
