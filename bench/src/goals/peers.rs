//! The server beside its peers.

use serde::Serialize;

use super::{Goal, Limit, goal};
use crate::measurement::{COUNT, CREATE, FIND, SEARCH, server};
use crate::options::BenchOptions;
use crate::peers::{GROUPING, GUIDE, POOLED, guide_connections, peer};
use crate::pgbench::{Job, Script};
use crate::sample::{Cpu, Series, Spread, ratio};

/// One work, done by the server and by a peer in turn.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// `create`, `find`, ...
    pub work: String,
    /// The executor of the peer's series.
    pub peer: String,
    /// The executor of the server's series.
    pub server: String,
    /// The server's rate by the peer's, round by round, and the aim.
    pub rate: Goal,
    /// The same of the CPU time for each request, of all but the generator.
    pub cpu: Option<Spread>,
}

/// Compares what was measured of both. `prepares`: whether PgBouncer keeps the server's statements.
pub(crate) fn compare(
    options: &BenchOptions,
    series: &[Series],
    prepares: bool,
) -> Vec<Comparison> {
    let crowd = options.crowd();
    let find = |work: &str, executor: &str| {
        let mut all = series.iter();
        all.find(|series| series.work == work && series.executor == executor)
    };
    let mut all = Vec::new();
    for work in [CREATE, FIND, COUNT, SEARCH] {
        for (name, executor) in executors(work, crowd) {
            let (Some(ours), Some(theirs)) = (find(work, &server(crowd)), find(work, &executor))
            else {
                continue;
            };
            let Some(rate) = ratio(ours, theirs, |sample| sample.rate) else {
                continue;
            };
            all.push(Comparison {
                work: work.to_owned(),
                rate: goal(
                    format!("{work}, {} / {executor}", ours.executor),
                    aim(work, name, prepares),
                    rate,
                )
                .beside(theirs),
                cpu: ratio(ours, theirs, |sample| without_generator(sample.cpu_us)),
                server: ours.executor.clone(),
                peer: executor,
            });
        }
    }
    all
}

/// CPU time of everything that serves.
pub(crate) fn without_generator(cpu: Cpu) -> f64 {
    cpu.sum() - cpu.generator
}

fn executors(work: &str, crowd: usize) -> Vec<(&'static str, String)> {
    let mut all = vec![
        (POOLED, peer(POOLED, crowd)),
        (GROUPING, peer(GROUPING, crowd)),
        (GUIDE, peer(GUIDE, guide_connections())),
    ];
    let script = match work {
        CREATE => Some(Script::PostgrestCreate),
        FIND => Some(Script::PostgrestFind),
        SEARCH => Some(Script::PostgrestSearch),
        _ => None,
    };
    all.extend(script.map(|script| ("", Job::postgrest(script).name())));
    all
}

fn aim(work: &str, peer: &str, prepares: bool) -> Limit {
    match (work, peer) {
        (CREATE, POOLED) => Limit::AtLeast(2.5),
        (FIND, POOLED) => Limit::AtLeast(if prepares { 2.5 } else { 2.0 }),
        (SEARCH, GUIDE) => Limit::AtLeast(20.0),
        _ => Limit::Shown,
    }
}
