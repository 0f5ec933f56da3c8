//! Figures: what the server knows about itself, its pools and its database now, as JSON on `/figures`.
//!
//! Counters are cumulative since the start, and those of PgBouncer and PostgreSQL since theirs; `*_seconds` among them
//! are sums. What is not called a counter is a gauge. A part that cannot be had is `null`, or has an `error`.

mod machine;
mod process;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use machine::Machine;
pub use process::{OpenDescriptors, Process};

pub use crate::dispatch::{LaneFigures as Lane, StageFigures as Stages};
pub use crate::store::{
    PgBouncerFigures as PgBouncer, PostgresFigures as Postgres, R2d2Figures as R2d2, Sampled,
};

/// The commit that the program was built from, where the build was told.
pub(super) const COMMIT: Option<&str> = match option_env!("WARRIOR_API_COMMIT") {
    Some(commit) if !commit.is_empty() => Some(commit),
    _ => None,
};

/// All figures of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The moment, in seconds since 1970.
    pub at: f64,
    /// Since the start of this server.
    pub uptime_seconds: f64,
    /// Version of the program.
    pub version: String,
    /// The commit that it was built from, where the build was told.
    pub commit: Option<String>,
    /// One for each kind of request.
    pub lanes: Vec<Lane>,
    /// Whether requests are refused since the database is gone.
    pub breaker_open: bool,
    /// Age of the database's outage, which requests wait out at first; 0 while it answers.
    #[serde(default)]
    pub outage_seconds: f64,
    /// One for each route and status that was answered.
    pub answers: Vec<Answers>,
    /// By lane.
    pub stages: BTreeMap<String, Stages>,
    /// None on a DuckDB file.
    pub r2d2: Option<R2d2>,
    /// None without a monitor role, and without a PgBouncer.
    pub pgbouncer: Option<Sampled<PgBouncer>>,
    /// None without a monitor role.
    pub postgres: Option<Sampled<Postgres>>,
    /// This process; none where the system does not say.
    pub process: Option<Process>,
    /// The machine, or its share that this process may use; none where the system does not say.
    pub machine: Option<Machine>,
    /// What bound over the last seconds.
    pub binds: Binds,
}

/// Answers of one route with one status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Method and path, as `POST /warrior`.
    pub route: String,
    /// Status code.
    pub status: u16,
    /// Answers.
    pub count: u64,
    /// Their durations.
    pub seconds: f64,
    /// Upper bounds in seconds, and the answers up to each of them.
    pub buckets: Vec<(f64, u64)>,
}

/// What keeps the server from answering more, or sooner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binds {
    /// The limit that was met.
    pub limit: Limit,
    /// For people.
    pub sentence: String,
}

/// A limit that requests meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Nothing binds.
    #[default]
    None,
    /// All workers of a lane are busy.
    Workers,
    /// All server connections of PgBouncer's pool are lent.
    PgbouncerPool,
    /// Workers wait for connections of r2d2.
    R2d2,
    /// PostgreSQL or PgBouncer lets no further client in.
    Connections,
    /// PostgreSQL's backends want more processor time than there is.
    PostgresCpu,
    /// The processors of this machine, or this process's share of them, are used up.
    MachineCpu,
    /// Statements wait for a lock that another session holds.
    Lock,
    /// Statements wait for the disk.
    Disk,
    /// Clients take their answers slowly.
    Clients,
    /// Requests are refused at the door of a full queue.
    Queue,
    /// The database cannot be reached.
    DatabaseGone,
}
