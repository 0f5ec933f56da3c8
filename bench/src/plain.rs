//! The plain schema on a stack of its own, measured in turn with the server's: what it costs and saves to leave out triggers
//! and functions.

use serde::Serialize;

use crate::measurement::{COUNT, CREATE, FIND, SEARCH, server};
use crate::options::{BenchOptions, Part};
use crate::sample::{Sample, Series, Spread, ratio};
use crate::searches::Searches;

/// The parts that are measured on it, too.
pub(crate) const PARTS: [Part; 5] = [
    Part::Create,
    Part::Find,
    Part::Count,
    Part::Search,
    Part::Classes,
];

/// The executor of its series.
pub(crate) fn plain(connections: usize) -> String {
    format!("plain schema, {connections} connections")
}

/// One work, on both schemas in turn.
#[derive(Clone, Debug, Serialize)]
pub struct BothSchemas {
    /// `create, 64 connections`, or the class of a search.
    pub what: String,
    /// The plain schema's rate by the other one's, round by round.
    pub rate: Spread,
    /// The same of PostgreSQL's CPU time for each request.
    pub postgres: Option<Spread>,
    /// Medians in microseconds, of the tuned schema and of the plain one.
    pub p50_us: [f64; 2],
    /// The same of the slowest in a hundred.
    pub p99_us: [f64; 2],
    /// The same of PostgreSQL's CPU time for each request.
    pub postgres_us: [f64; 2],
    /// Requests that failed, of each.
    pub failed: [u64; 2],
}

/// Compares what was measured of both.
pub(crate) fn compare(
    options: &BenchOptions,
    series: &[Series],
    searches: &[Searches],
) -> Vec<BothSchemas> {
    let find = |work: &str, executor: &str| {
        let mut all = series.iter();
        all.find(|series| series.work == work && series.executor == executor)
    };
    let mut all = Vec::new();
    for work in [CREATE, FIND, COUNT, SEARCH] {
        for connections in &options.connections {
            let both = (
                find(work, &server(*connections)),
                find(work, &plain(*connections)),
            );
            if let (Some(tuned), Some(plain)) = both {
                all.extend(both_schemas(
                    format!("{work}, {connections} connections"),
                    tuned,
                    plain,
                ));
            }
        }
    }
    for state in searches {
        for class in &state.classes {
            let what = format!("search, {}: {}", state.table, class.name);
            let plain = class.plain.as_ref();
            all.extend(plain.and_then(|plain| both_schemas(what, &class.series, plain)));
        }
    }
    all
}

fn both_schemas(what: String, tuned: &Series, plain: &Series) -> Option<BothSchemas> {
    let medians = |figure: fn(&Sample) -> f64| [tuned.median(figure), plain.median(figure)];
    Some(BothSchemas {
        what,
        rate: ratio(plain, tuned, |sample| sample.rate)?,
        postgres: ratio(plain, tuned, |sample| sample.cpu_us.postgres),
        p50_us: medians(|sample| sample.p50_us),
        p99_us: medians(|sample| sample.p99_us),
        postgres_us: medians(|sample| sample.cpu_us.postgres),
        failed: [tuned.failed(), plain.failed()],
    })
}
