//! The plan of a run: what is sent, when, and over which connections.

use std::time::Duration;

use crate::target::Target;
use crate::workload::Maker;

/// Everything that a run does, decided before it starts.
#[derive(Debug)]
pub struct Plan {
    /// Where requests go.
    pub target: Target,
    /// The names of the rows of the result; scenarios refer to them by index.
    pub endpoints: Vec<String>,
    /// The kinds of request.
    pub scenarios: Vec<Scenario>,
    /// When.
    pub load: LoadModel,
    /// For how long requests are begun.
    pub length: Duration,
    /// Over which connections.
    pub connections: ConnectionMode,
    /// At most this many connections at once, over all threads; more would be the generator's
    /// limit, and is reported as such.
    pub connections_max: usize,
    /// A request without a complete answer after this long is given up.
    pub timeout: Duration,
    /// When one request in a hundred begins later than this, the generator was too slow.
    pub lateness_max: Duration,
    /// Requests with a moment before this are sent and counted, but not measured.
    pub warmup: Duration,
    /// Generator threads.
    pub threads: usize,
    /// Draws everything that is random.
    pub seed: u64,
}

impl Plan {
    /// How long requests are begun and measured: the whole length without the warm-up.
    pub fn measured_seconds(&self) -> f64 {
        (self.length.as_secs_f64() - self.warmup.as_secs_f64()).max(0.001)
    }

    /// Whether anything in it can store a row.
    pub fn creates(&self) -> bool {
        self.scenarios
            .iter()
            .any(|scenario| scenario.maker.creates())
    }
}

/// One kind of request within a run.
#[derive(Debug)]
pub struct Scenario {
    /// The row of the result.
    pub endpoint: usize,
    /// Makes the requests.
    pub maker: Maker,
    /// A follow-up to each 201.
    pub follow: Option<Follow>,
    /// Repeats after a 503, in the open model.
    pub retry: Option<Retry>,
    /// The share of this scenario in the closed model.
    pub weight: u32,
}

/// After each 201: a GET of its `Location`.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The row of the result.
    pub endpoint: usize,
    /// The pause before it is drawn between these.
    pub after: (Duration, Duration),
}

/// After a 503: the request once more, when its `Retry-After` is over.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The row of the result.
    pub endpoint: usize,
    /// Most repeats of one request.
    pub times: u32,
}

/// When requests are sent.
#[derive(Debug)]
pub enum LoadModel {
    /// Open model: at these moments, ascending.
    Open(Vec<Arrival>),
    /// Closed model: each connection sends the next request when it has the answer.
    Closed {
        /// How many connections.
        connections: usize,
    },
}

/// One planned request.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Nanoseconds from the start of the run.
    pub at_nanos: u64,
    /// The scenario's place in the plan.
    pub scenario: u32,
    /// The number of the request within its scenario.
    pub index: u32,
}

/// How requests share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionMode {
    /// Kept-alive connections, opened when none is idle.
    Shared,
    /// Each virtual user opens a connection of its own and closes it at its end.
    PerUser,
}
