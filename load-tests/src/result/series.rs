//! The part of a result that goes second by second.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One second of the run. Requests are counted in the second in which they end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Second {
    /// Seconds from the start.
    pub second: u64,
    /// All endpoints together.
    pub total: SecondRow,
    /// Each endpoint, in the order of `endpoints`.
    pub endpoints: Vec<SecondRow>,
    /// Requests without an answer at its end.
    pub in_flight: u64,
    /// Open connections at its end.
    pub connections: u64,
    /// Cores that the generator used.
    pub generator_cpu: f64,
    /// The latencies of all endpoints together: entry n counts those from 10^(n/8) to below 10^((n+1)/8) microseconds,
    /// and the last entry is of the last such band that holds any.
    pub latency_bands: Vec<u64>,
}

/// One of the server's own figures over the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerMetric {
    /// The metric as the server names it, with its labels.
    pub name: String,
    /// What its values are.
    pub kind: MetricKind,
    /// As each second of `series` ended; `null` where the server was not read, or did not say.
    pub values: Vec<Option<f64>>,
}

/// What the values of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// What it was at that moment.
    Gauge,
    /// What it had grown by since the run began.
    Counter,
}

/// The figures of one second; latencies in microseconds from the intended moment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are the quantiles, in microseconds")]
pub struct SecondRow {
    /// Requests whose moment came.
    pub scheduled: u64,
    /// Requests answered as prescribed.
    pub succeeded: u64,
    /// Requests that ended otherwise.
    pub failed: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
    pub max_us: u64,
}
