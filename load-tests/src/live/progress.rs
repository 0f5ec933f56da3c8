//! Progress of a run: what every view shows.

use std::collections::BTreeMap;

use crate::collect::Collected;
use crate::engine::Plan;

/// A run so far, as a view shows it.
pub struct Progress<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// The counts so far.
    pub collected: &'a Collected,
    /// The newest complete second.
    pub second: usize,
    /// How long the run takes as planned.
    pub seconds_planned: f64,
    /// The gauges of the server's queues and pools.
    pub gauges: &'a BTreeMap<String, f64>,
}
