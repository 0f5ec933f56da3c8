//! One measurement of a bench: what is done, by which program, and how.

use crate::http::Request;
use crate::pgbench::{Job, Script};
use crate::sample::{Series, Unit};

pub(crate) const CREATE: &str = "create";
pub(crate) const FIND: &str = "find";
pub(crate) const COUNT: &str = "count";
pub(crate) const SEARCH: &str = "search";

/// One thing that is measured once a round.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    /// The work: `create`, `find`, ...
    pub(crate) work: String,
    /// The program that does it, and how.
    pub(crate) executor: String,
    pub(crate) unit: Unit,
    pub(crate) action: Action,
}

/// How a measurement is taken.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Requests.
    Http(Box<Request>),
    /// The same after the table of the second stack was emptied.
    Emptied(Box<Action>),
    /// The same while the pending lists are flushed: the server does that for its own creates alone.
    Flushed(Box<Action>),
    /// The database alone.
    Pgbench { job: Job, clients: u32 },
    /// Creates that are measured, and searches that go on meanwhile.
    Beside {
        create: Box<Request>,
        search: Box<Request>,
    },
}

pub(crate) fn server(connections: usize) -> String {
    format!("server, {connections} connections")
}

pub(crate) fn hello(connections: usize) -> String {
    format!("hello, {connections} connections")
}

pub(crate) fn empty(connections: usize) -> String {
    format!("server, {connections} connections, empty table")
}

pub(crate) fn pgbench(script: Script, size: u32, pooled: bool) -> String {
    let job = Job {
        script,
        size,
        pooled,
    };
    job.name()
}

/// The same with one client, for its latency.
pub(crate) fn pgbench_alone(script: Script) -> String {
    format!("{}, 1 client", pgbench(script, 1, true))
}

impl Measurement {
    pub(crate) fn series(&self) -> Series {
        Series {
            work: self.work.clone(),
            executor: self.executor.clone(),
            unit: self.unit,
            samples: Vec::new(),
        }
    }
}

/// A measurement in requests.
pub(crate) fn by_http(work: &str, executor: String, action: Action) -> Measurement {
    Measurement {
        work: work.to_owned(),
        executor,
        unit: Unit::Requests,
        action,
    }
}

/// A measurement in rows.
pub(crate) fn by_pgbench(work: &str, executor: String, job: Job, clients: u32) -> Measurement {
    Measurement {
        unit: Unit::Rows,
        ..by_http(work, executor, Action::Pgbench { job, clients })
    }
}
