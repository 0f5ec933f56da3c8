//! Opening: listeners, memory and metrics come first, then the lanes, and with them the server serves.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Running;
use crate::api::{Answers, Api};
use crate::budget::Budget;
use crate::config::{Monitoring, Server};
use crate::dispatch::{Dispatch, LANES, Threads};
use crate::executors;
use crate::http::{self, Phase, WriteTimes};
use crate::idempotency_secret::Reading;
use crate::memory::Memory;
use crate::ops::figures::OpenDescriptors;
use crate::ops::source::{Parts, Source};
use crate::ops::{
    Admin, ProcessMetrics, RequestMetrics, SampledMetrics, StageMetrics, register_build,
};
use crate::store::{PoolMetrics, Samples, Store};

/// Connections on the admin listener; operators and load balancers are few.
const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Longest time of a head there, and of an idle kept-alive connection; no operator asks twice within a second.
/// Slow heads that hold every place make room before.
const ADMIN_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time that open requests there get to finish: `/ready` waits a second for the database.
const ADMIN_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A server that is about to start: it listens, and has its memory and its metrics.
pub(super) struct Opening {
    memory: Memory,
    public: TcpListener,
    admin: TcpListener,
    pub(super) registry: Registry,
    descriptors: OpenDescriptors,
    requests: RequestMetrics,
    stages: StageMetrics,
    /// Of the public listener, by lane.
    writes: WriteTimes,
    /// None without a role for it.
    samples: Option<Samples>,
    /// None on a DuckDB file.
    pub(super) pool: Option<PoolMetrics>,
}

impl Opening {
    pub(super) fn listen(server: &Server, memory_limit: u64) -> anyhow::Result<Self> {
        let memory = share_memory(server, memory_limit);
        let public = http::bind(server.public, memory.send_buffer)
            .context("the public listener (HOST, PORT)")?;
        let admin = http::bind(server.admin, memory.send_buffer)
            .context("the admin listener (ADMIN_HOST, ADMIN_PORT)")?;
        let mut registry = Registry::default();
        let descriptors = OpenDescriptors::default();
        register_build(&mut registry);
        registry.register_collector(Box::new(ProcessMetrics {
            memory_limit: super::memory_limit(server),
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
    pub(super) fn sample(&mut self, monitoring: Option<Monitoring>) -> anyhow::Result<()> {
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
    pub(super) fn lanes<S: Store>(
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
        let (dispatch, threads) =
            Dispatch::start(&server.sizes, executors, server.deadline, &waiting, lanes)
                .context("the worker threads cannot be started")?;
        Ok((dispatch, threads, self))
    }

    /// Serves both listeners.
    pub(super) fn serve(
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
            memory_limit: super::memory_limit(server),
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
