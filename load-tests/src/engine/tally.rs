//! Tallies: counts and latency histograms of an endpoint.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;

use super::failure::Failure;

/// The outcome of a request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The status that was prescribed for this request.
    Prescribed(u16),
    /// A complete answer with another status.
    Other(u16),
    /// The connection ended first.
    Cut,
    /// An answer that is not HTTP.
    Protocol,
    /// Nothing complete came in time.
    Timeout,
}

impl Outcome {
    /// Whether the contract was kept.
    pub fn is_success(self) -> bool {
        matches!(self, Outcome::Prescribed(_))
    }

    /// The outcome of a failure after sending; `None` for failures before it.
    pub fn of_failure(failure: &Failure) -> Option<Outcome> {
        match failure {
            Failure::Cut(_) => Some(Outcome::Cut),
            Failure::Protocol(_) => Some(Outcome::Protocol),
            Failure::Timeout => Some(Outcome::Timeout),
            Failure::Connect(_)
            | Failure::NotAccepted
            | Failure::Exhausted(_)
            | Failure::NotSent => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Prescribed(status) => write!(f, "{status}"),
            Outcome::Other(503) => f.write_str("503 refused"),
            Outcome::Other(504) => f.write_str("504 unknown"),
            Outcome::Other(status) => write!(f, "{status} not prescribed"),
            Outcome::Cut => f.write_str("cut"),
            Outcome::Protocol => f.write_str("not HTTP"),
            Outcome::Timeout => f.write_str("timeout"),
        }
    }
}

/// Why a scheduled request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unsent {
    /// The target could not be connected to.
    Connect,
    /// The target gave no connection in time.
    NotAccepted,
    /// The generator was out of descriptors, ports or its own connection limit.
    Generator,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsent::Connect => "no connection",
            Unsent::NotAccepted => "no connection in time",
            Unsent::Generator => "generator's limit",
        })
    }
}

/// The counts and latencies of one endpoint over some time. Every request that was scheduled is
/// in exactly one of `outcomes` and `unsent` once the run has ended.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Requests whose moment has come.
    pub scheduled: u64,
    /// Requests of which at least one byte was written.
    pub sent: u64,
    /// Requests that the generator began more than a millisecond after their moment.
    pub late: u64,
    /// Outcomes of the requests that were sent.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Why the others were not.
    pub unsent: BTreeMap<Unsent, u64>,
    /// Bytes of the answers' bodies.
    pub body_bytes: u64,
    /// From the intended moment to the last byte, in microseconds: prescribed answers, and requests
    /// without an answer or a connection in time (counted until they were given up, so a lower bound).
    pub latency: Histogram<u64>,
    /// The same for other answers and cut connections, kept apart so that quick refusals and cuts
    /// cannot flatter the latency.
    pub latency_failed: Histogram<u64>,
    /// From the first byte written to the last byte read, of prescribed answers.
    pub service: Histogram<u64>,
    /// How long opening a connection took, where one was opened.
    pub connect: Histogram<u64>,
    /// How long after its moment the generator began each request.
    pub lateness: Histogram<u64>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Tally {
        Tally {
            scheduled: 0,
            sent: 0,
            late: 0,
            outcomes: BTreeMap::new(),
            unsent: BTreeMap::new(),
            body_bytes: 0,
            latency: histogram(),
            latency_failed: histogram(),
            service: histogram(),
            connect: histogram(),
            lateness: histogram(),
        }
    }

    /// Adds what another tally counted.
    pub fn add(&mut self, other: &Tally) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.late += other.late;
        self.body_bytes += other.body_bytes;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        for (reason, count) in &other.unsent {
            *self.unsent.entry(*reason).or_default() += count;
        }
        for (mine, others) in [
            (&mut self.latency, &other.latency),
            (&mut self.latency_failed, &other.latency_failed),
            (&mut self.service, &other.service),
            (&mut self.connect, &other.connect),
            (&mut self.lateness, &other.lateness),
        ] {
            // Both resize themselves and share one precision, so adding cannot fail.
            let _always_fits = mine.add(others);
        }
    }

    /// Requests that were answered as the contract prescribes.
    pub fn succeeded(&self) -> u64 {
        self.count(|outcome| outcome.is_success())
    }

    /// Requests that ended in any other way, sent or not.
    pub fn failed(&self) -> u64 {
        self.count(|outcome| !outcome.is_success()) + self.unsent.values().sum::<u64>()
    }

    /// Requests that have ended, in whatever way.
    pub fn ended(&self) -> u64 {
        self.succeeded() + self.failed()
    }

    /// Answers with one status that was not prescribed.
    pub fn other(&self, status: u16) -> u64 {
        self.outcomes
            .get(&Outcome::Other(status))
            .copied()
            .unwrap_or(0)
    }

    /// The outcomes and how often each came, for reading.
    pub fn outcomes_text(&self) -> String {
        let came = self.outcomes.iter().map(|(what, n)| format!("{what}: {n}"));
        let unsent = self.unsent.iter().map(|(why, n)| format!("{why}: {n}"));
        came.chain(unsent).collect::<Vec<_>>().join(", ")
    }

    fn count(&self, test: impl Fn(Outcome) -> bool) -> u64 {
        self.outcomes
            .iter()
            .filter(|(outcome, _)| test(**outcome))
            .map(|(_, count)| count)
            .sum()
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally::new()
    }
}

/// Records nanoseconds into a histogram of microseconds, rounding to the nearest.
pub(super) fn record(histogram: &mut Histogram<u64>, nanos: u64) {
    // A histogram that resizes itself takes every value.
    let _always_fits = histogram.record((nanos + 500) / 1000);
}

fn histogram() -> Histogram<u64> {
    match Histogram::new(3) {
        Ok(histogram) => histogram,
        // The only errors are bounds that make no sense; three digits do.
        Err(error) => unreachable!("three significant digits are valid: {error}"),
    }
}
