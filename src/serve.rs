//! Wiring: store, lanes, API and both listeners become a server, which ends by a graceful drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
#[cfg(feature = "duckdb")]
use warrior_duckdb::Library;

use crate::api::{Answers, Api};
use crate::budget::Budget;
#[cfg(feature = "duckdb")]
use crate::config::Local;
use crate::config::{Database, Monitoring, Secret, Server};
use crate::dispatch::{Dispatch, LANES, Threads};
use crate::executors;
use crate::http::{self, Phase, WriteTimes};
use crate::idempotency_secret::{self, Reading};
use crate::memory::Memory;
use crate::ops::figures::OpenDescriptors;
use crate::ops::source::{Parts, Source};
use crate::ops::{
    Admin, ProcessMetrics, RequestMetrics, SampledMetrics, StageMetrics, register_build,
};
#[cfg(feature = "duckdb")]
use crate::store::DuckDb;
use crate::store::{PoolMetrics, Postgres, Samples, Store, schema};

/// Connections on the admin listener; operators and load balancers are few.
const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Longest time of a head there, and of an idle kept-alive connection; no operator asks twice within a second.
/// Slow heads that hold every place make room before.
const ADMIN_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time that open requests there get to finish: `/ready` waits a second for the database.
const ADMIN_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A running server.
pub struct Running {
    /// The address of the API.
    pub public: SocketAddr,
    /// The address of `/live`, `/ready`, `/metrics` and `/figures`.
    pub admin: SocketAddr,
    drain_delay: Duration,
    public_phase: watch::Sender<Phase>,
    admin_phase: watch::Sender<Phase>,
    public_task: JoinHandle<()>,
    admin_task: JoinHandle<()>,
    threads: Threads,
    /// Ends with the server.
    _secret: Reading,
}

/// A server that is about to start: it listens, and has its memory and its metrics.
struct Opening {
    memory: Memory,
    public: TcpListener,
    admin: TcpListener,
    registry: Registry,
    descriptors: OpenDescriptors,
    requests: RequestMetrics,
    stages: StageMetrics,
    /// Of the public listener, by lane.
    writes: WriteTimes,
    /// None without a role for it.
    samples: Option<Samples>,
    /// None on a DuckDB file.
    pool: Option<PoolMetrics>,
}

/// Starts a server on PostgreSQL. It listens when this returns, whether the database is there or not; `/ready` says
/// which. Without a `secret`, the one that the database keeps is read; creates are refused until it is.
///
/// # Errors
/// When an address cannot be listened on, the CA file cannot be used, or the system refuses threads.
pub async fn start(
    server: &Server,
    database: &Database,
    secret: impl Into<Option<&Secret>>,
) -> anyhow::Result<Running> {
    let mut opening = Opening::listen(server, memory_limit(server))?;
    let store = Postgres::new(database, &server.sizes, &mut opening.registry)?;
    opening.pool = Some(store.pool_metrics());
    opening.sample(server.monitoring.clone())?;
    let lanes = opening.registry.sub_registry_with_prefix("warrior");
    let mut reading = idempotency_secret::keys(secret.into(), &store, lanes)
        .context("the thread that reads the secret cannot be started")?;
    let (dispatch, threads, opening) = opening.lanes(server, store)?;
    // Where the database is there, the first create must not come too early.
    reading.wait(database.connect_timeout).await;
    let version = schema::current_version();
    opening.serve(server, dispatch, threads, reading, version)
}

/// Opens the DuckDB file of `local`, or makes it. Half of the server's memory is for DuckDB. Blocks.
///
/// # Errors
/// When there is no library, or the file cannot be opened or served.
#[cfg(feature = "duckdb")]
pub fn open_local(server: &Server, local: &Local) -> anyhow::Result<DuckDb> {
    let library = Library::find(local.library.as_deref())?;
    Ok(DuckDb::open(&library, local, memory_limit(server) / 2)?)
}

/// Starts a server on a DuckDB file. Without a `secret`, the one that the file keeps is taken.
///
/// # Errors
/// When an address cannot be listened on, the file takes no secret, or the system refuses threads.
#[cfg(feature = "duckdb")]
pub async fn start_local(
    server: &Server,
    store: DuckDb,
    secret: Option<&Secret>,
) -> anyhow::Result<Running> {
    let mut opening = Opening::listen(server, memory_limit(server) / 2)?;
    let lanes = opening.registry.sub_registry_with_prefix("warrior");
    let reading = match secret {
        Some(secret) => Reading::known(secret, "configured", lanes),
        None => Reading::known(&store.secret()?, "file", lanes),
    };
    let (dispatch, threads, opening) = opening.lanes(server, store)?;
    // The table has no version: it was looked at when the file was opened.
    opening.serve(server, dispatch, threads, reading, 0)
}

impl Opening {
    fn listen(server: &Server, memory_limit: u64) -> anyhow::Result<Self> {
        let memory = share_memory(server, memory_limit);
        let public = http::bind(server.public, memory.send_buffer)
            .context("the public listener (HOST, PORT)")?;
        let admin = http::bind(server.admin, memory.send_buffer)
            .context("the admin listener (ADMIN_HOST, ADMIN_PORT)")?;
        let mut registry = Registry::default();
        let descriptors = OpenDescriptors::default();
        register_build(&mut registry);
        registry.register_collector(Box::new(ProcessMetrics {
            memory_limit: self::memory_limit(server),
            descriptors: descriptors.clone(),
        }));
        let requests = RequestMetrics::register(&mut registry);
        let writes = WriteTimes::new(LANES.len());
        let lanes = registry.sub_registry_with_prefix("warrior");
        let stages = StageMetrics::register(lanes, writes.clone());
        Ok(Self {
            memory,
            public,
            admin,
            registry,
            descriptors,
            requests,
            stages,
            writes,
            samples: None,
            pool: None,
        })
    }

    /// Starts to sample the database's statistics.
    fn sample(&mut self, monitoring: Option<Monitoring>) -> anyhow::Result<()> {
        let Some(monitoring) = monitoring else {
            tracing::info!(
                "no statistics of PostgreSQL and PgBouncer are sampled: POSTGRES_MONITOR_USER and its password say as whom"
            );
            return Ok(());
        };
        let samples = Samples::start(monitoring).context("statistics cannot be sampled")?;
        let metrics = SampledMetrics(samples.clone());
        self.registry.register_collector(Box::new(metrics));
        self.samples = Some(samples);
        Ok(())
    }

    /// Starts the lanes on `store`.
    fn lanes<S: Store>(
        mut self,
        server: &Server,
        store: S,
    ) -> anyhow::Result<(Arc<Dispatch>, Threads, Self)> {
        let lanes = self.registry.sub_registry_with_prefix("warrior");
        let (waiting, answers) = (
            Budget::new(self.memory.requests),
            Budget::new(self.memory.answers),
        );
        waiting.register(lanes, "request", "Bytes of requests that wait in lanes");
        let what = "Bytes of answers that are read or that clients have not taken yet";
        answers.register(lanes, "answer", what);
        let executors = executors::all(store, Answers::new(answers));
        let (dispatch, threads) = Dispatch::start(&server.sizes, executors, &waiting, lanes)
            .context("the worker threads cannot be started")?;
        Ok((dispatch, threads, self))
    }

    /// Serves both listeners.
    fn serve(
        self,
        server: &Server,
        dispatch: Arc<Dispatch>,
        threads: Threads,
        reading: Reading,
        schema_version: i32,
    ) -> anyhow::Result<Running> {
        let Self {
            memory,
            public,
            admin: admin_listener,
            registry,
            descriptors,
            requests,
            pool,
            samples,
            stages,
            writes,
        } = self;
        let (public_address, admin_address) = (public.local_addr()?, admin_listener.local_addr()?);
        let api = Api::new(Arc::clone(&dispatch), reading.keys.clone(), server.deadline);
        let (public_phase, phase) = watch::channel(Phase::Serving);
        let limits = http::Limits {
            connections_max: memory.connections,
            // The close could meet a create.
            oldest_leave: false,
            head_timeout: server.head_timeout,
            drain_timeout: server.drain_timeout,
        };
        let figures = Source::start(Parts {
            memory_limit: memory_limit(server),
            descriptors,
            dispatch: Arc::downgrade(&dispatch),
            requests: requests.clone(),
            stages: stages.clone(),
            pool,
            samples,
        })
        .context("the thread that keeps figures cannot be started")?;
        let respond = move |received| {
            let (api, requests, stages) = (api.clone(), requests.clone(), stages.clone());
            let asked = api.read(received);
            async move {
                let answer = api.answer(asked).await;
                let status = answer.response.status().as_u16();
                requests.answered(answer.route, status, answer.stages.total());
                stages.answered(&answer.stages);
                http::Answer {
                    response: answer.response,
                    timed: answer.stages.lane.map(|lane| (lane, answer.at)),
                }
            }
        };
        let public_task = tokio::spawn(http::serve(public, limits, phase, writes, respond));

        let (admin_phase, phase) = watch::channel(Phase::Serving);
        let admin = Admin::new(
            dispatch,
            Arc::new(registry),
            schema_version,
            server.deadline,
            reading.keys.clone(),
            phase.clone(),
            figures,
        );
        let admin_task = tokio::spawn(http::serve(
            admin_listener,
            http::Limits {
                connections_max: ADMIN_CONNECTIONS_MAX,
                oldest_leave: true,
                head_timeout: ADMIN_HEAD_TIMEOUT,
                drain_timeout: ADMIN_DRAIN_TIMEOUT,
            },
            phase,
            WriteTimes::new(0),
            move |received| {
                let admin = admin.clone();
                async move { admin.answer(received).await }
            },
        ));
        Ok(Running {
            public: public_address,
            admin: admin_address,
            drain_delay: server.drain_delay,
            public_phase,
            admin_phase,
            public_task,
            admin_task,
            threads,
            _secret: reading,
        })
    }
}

impl Running {
    /// Graceful drain: `/ready` says no and each answer ends its connection; after the drain delay the listener
    /// closes, open requests finish, and the workers end. Their threads can be joined where blocking is allowed.
    pub async fn stop(self) -> Threads {
        for phase in [&self.public_phase, &self.admin_phase] {
            phase.send_replace(Phase::Draining);
        }
        tokio::time::sleep(self.drain_delay).await;
        self.public_phase.send_replace(Phase::Closing);
        let _ = self.public_task.await;
        self.admin_phase.send_replace(Phase::Closing);
        let _ = self.admin_task.await;
        self.threads
    }
}

/// Bytes that this process may use.
fn memory_limit(server: &Server) -> u64 {
    (server.memory).unwrap_or_else(warrior_stack::memory::limit_bytes)
}

/// Shares out the memory of the server, with a warning when that serves fewer clients than were asked for.
fn share_memory(server: &Server, limit: u64) -> Memory {
    let memory = Memory::share(limit, server.sizes.connections_max);
    if memory.connections < server.sizes.connections_max {
        tracing::warn!(
            limit_mib = limit >> 20,
            served = memory.connections,
            "too little memory for MAX_CONNECTIONS: fewer clients are served at once; raise the limit of the control \
             group (or MEMORY_LIMIT_MIB) or lower MAX_CONNECTIONS to {}",
            memory.connections
        );
    }
    memory
}
