//! An interval: one second of one generator thread.

use super::tally::Tally;

/// The counts of one thread in one second.
#[derive(Debug)]
pub struct Interval {
    /// Seconds from the start of the run.
    pub second: u64,
    /// Per endpoint.
    pub tallies: Vec<Tally>,
    /// Requests of the warm-up.
    pub warmup: Tally,
    /// Requests without an answer at the end of the second.
    pub in_flight: u64,
    /// Open connections at the end of the second.
    pub connections: u64,
    /// CPU time of the thread during the interval, over the interval's length, or over 100 ms when
    /// that was shorter.
    pub cpu: f64,
    /// The CPU time in seconds.
    pub cpu_seconds: f64,
    /// The thread's priority: below 0 it goes before others, 0 when that was not allowed.
    pub nice: i32,
    /// Examples of what went wrong.
    pub examples: Vec<String>,
}
