//! Lanes in figures: their sizes, what they do now, and what they have done since the start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outcome::Reason;

/// One lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneFigures {
    /// Its name.
    pub lane: String,
    /// Worker threads.
    pub workers: usize,
    /// Workers that execute a batch now.
    pub busy: usize,
    /// Requests that wait now.
    pub waiting: usize,
    /// Most requests that may wait.
    pub queue_max: usize,
    /// Most requests in one batch.
    pub batch_max: usize,
    /// Batches since the start.
    pub batches: u64,
    /// Requests in them.
    pub requests: u64,
    /// Time that workers spent on them.
    pub batch_seconds: f64,
    /// Requests that were shed, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Age of the oldest batch that runs; 0 when none does.
    pub oldest_batch_seconds: f64,
}

/// The circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BreakerFigures {
    /// Whether requests are refused since the database is gone.
    pub open: bool,
    /// Age of the database's outage, which requests wait out at first; 0 while it answers.
    pub outage_seconds: f64,
}

impl LaneFigures {
    /// The name of a reason in `refused`.
    pub fn reason(reason: Reason) -> String {
        reason.name().to_owned()
    }
}

/// Where the time of a lane's requests went, in seconds since the start. All but the write add up to the durations of
/// their answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageFigures {
    /// Requests that were answered.
    pub requests: u64,
    /// From the last byte of a request to its lane's queue.
    pub parse_seconds: f64,
    /// From there to a worker.
    pub queue_seconds: f64,
    /// From there to a connection in hand.
    pub connect_seconds: f64,
    /// Statements: PgBouncer, PostgreSQL, and the way there and back.
    pub database_seconds: f64,
    /// Rendering, and the way back from the worker to the answer.
    pub render_seconds: f64,
    /// From the answer to its last byte in the socket, not part of its duration.
    pub write_seconds: f64,
}
