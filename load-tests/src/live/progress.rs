//! Progress of a run: what every view shows.

use std::collections::BTreeMap;

use crate::collect::Collected;
use crate::engine::Plan;
use crate::profile::Threshold;

/// A run so far, as a view shows it.
pub struct Progress<'a> {
    /// The profile of the run, with the divisor of its times.
    pub profile: &'a str,
    /// The conditions of a pass.
    pub conditions: &'a [Threshold],
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
