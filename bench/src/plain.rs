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
    /// Medians in microseconds, of the tuned schema and of the plain one; none where no round had an answer.
    pub p50_us: [Option<f64>; 2],
    /// The same of the slowest in a hundred.
    pub p99_us: [Option<f64>; 2],
    /// The same of PostgreSQL's CPU time for each request.
    pub postgres_us: [Option<f64>; 2],
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
    // A round in which nothing was answered has a rate, and no other figure.
    let medians = |figure: fn(&Sample) -> f64| {
        [tuned, plain].map(|series| {
            let spread = series.spread_of_some(|sample| (sample.done > 0).then(|| figure(sample)));
            spread.map(|spread| spread.median)
        })
    };
    let postgres = |sample: &Sample| match sample.done {
        0 => f64::NAN,
        _ => sample.cpu_us.postgres,
    };
    Some(BothSchemas {
        what,
        rate: ratio(plain, tuned, |sample| sample.rate)?,
        postgres: ratio(plain, tuned, postgres),
        p50_us: medians(|sample| sample.p50_us),
        p99_us: medians(|sample| sample.p99_us),
        postgres_us: medians(|sample| sample.cpu_us.postgres),
        failed: [tuned.failed(), plain.failed()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Unit;

    fn series(rounds: &[(u64, f64)]) -> Series {
        let sample = |(done, p50_us): &(u64, f64)| Sample {
            done: *done,
            rate: *done as f64,
            p50_us: *p50_us,
            ..Sample::default()
        };
        Series {
            work: "w".to_owned(),
            executor: "e".to_owned(),
            unit: Unit::Requests,
            samples: rounds.iter().map(sample).collect(),
        }
    }

    #[test]
    fn a_round_without_an_answer_has_a_rate_and_no_other_figure() {
        let tuned = series(&[(100, 5.0), (100, 5.0), (100, 5.0)]);
        let both = |plain| both_schemas("w".to_owned(), &tuned, &series(plain)).unwrap();
        let some = both(&[(10, 30.0), (0, 0.0), (0, 0.0)]);
        assert_eq!(
            (some.p50_us, some.rate.median),
            ([Some(5.0), Some(30.0)], 0.0)
        );
        let none = both(&[(0, 0.0); 3]);
        assert_eq!((none.p50_us, none.rate.max), ([Some(5.0), None], 0.0));
    }
}
