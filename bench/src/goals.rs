//! Goals: what figures should be, and whether they are.

mod classes;
mod peers;

use serde::Serialize;

pub(crate) use self::classes::ClassGoals;
pub(crate) use self::classes::of_classes;
pub(crate) use self::peers::Comparison;
pub(crate) use self::peers::{compare, without_generator};

use crate::measurement::{
    COUNT, CREATE, FIND, SEARCH, empty, hello, pgbench, pgbench_alone, server,
};
use crate::mixed::{ALONE, BELOW_PEAK, BESIDE, MIXED};
use crate::options::BenchOptions;
use crate::pgbench::{BATCH, Script};
use crate::sample::{Sample, Series, Spread, ratio};

/// One goal.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// The figures that are compared.
    pub what: String,
    /// The bound, for reading.
    pub wanted: String,
    /// The ratio, or milliseconds.
    pub measured: Spread,
    /// `true` when the figure is as it should be; `None` for figures that stand beside for comparison.
    pub met: Option<bool>,
}

impl Goal {
    /// Says nothing where what it is compared with has failed: that was slower for it.
    fn beside(mut self, reference: &Series) -> Goal {
        if reference.failed() > 0 {
            self.met = None;
            self.wanted += &format!(
                "; {} FAILED {} times",
                reference.executor,
                reference.failed()
            );
        }
        self
    }
}

/// How a figure should compare with its limit.
#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
    MillisAtMost(f64),
    /// As much as before, but for noise: some rounds are above it and some below.
    Unchanged,
    Shown,
}

/// Everything that can be judged from what was measured.
pub(crate) fn judge(options: &BenchOptions, series: &[Series]) -> Vec<Goal> {
    let crowd = options.crowd();
    let mut goals = Vec::new();
    let figures = Figures { series };
    for (work, what) in [(FIND, "find by id"), (COUNT, "count")] {
        for connections in &options.connections {
            let wanted = if *connections == crowd {
                Limit::AtLeast(0.85)
            } else {
                Limit::Shown
            };
            let what = format!("{what} / bare hello, {connections} connections");
            let both = (server(*connections), hello(*connections));
            goals.extend(figures.rates(&what, wanted, work, both));
        }
    }
    let rows = options.rows;
    let emptied = |n| (server(n), empty(n));
    goals.extend(figures.rates(
        &format!("count with {rows} rows / empty table"),
        Limit::Unchanged,
        COUNT,
        emptied(crowd),
    ));
    let batches = pgbench(Script::Create, BATCH, false);
    let pooled = pgbench(Script::Create, BATCH, true);
    let bare = pgbench(Script::CreateBare, BATCH, false);
    if let Some(best) = figures.best_server(CREATE, options) {
        for (reference, wanted) in [(&batches, Limit::AtLeast(0.8)), (&pooled, Limit::Shown)] {
            let what = format!("create, {best} / {reference}");
            let both = (best.clone(), reference.clone());
            goals.extend(figures.rates(&what, wanted, CREATE, both));
        }
    }
    goals.extend(figures.rates(
        "pgbench batches of 50, direct / the same into the bare table",
        Limit::AtLeast(0.2),
        CREATE,
        (batches, bare),
    ));
    goals.extend(figures.rates(
        &format!("create with {rows} rows / empty table"),
        Limit::AtLeast(0.8),
        CREATE,
        emptied(crowd),
    ));
    for (work, script) in [(CREATE, Script::Create), (FIND, Script::Find)] {
        goals.extend(figures.of(
            &format!("p50 of {work}, 1 connection / pgbench, 1 row, 1 client, PgBouncer"),
            Limit::AtMost(1.5),
            work,
            (server(1), pgbench_alone(script)),
            |sample| sample.p50_us,
        ));
    }
    goals.extend(figures.p99(BELOW_PEAK, Limit::MillisAtMost(50.0)));
    goals.extend(figures.rates(
        "create beside 32 connections of the worst searches / alone",
        Limit::AtLeast(0.5),
        MIXED,
        (BESIDE.to_owned(), ALONE.to_owned()),
    ));
    goals
}

struct Figures<'a> {
    series: &'a [Series],
}

impl Figures<'_> {
    fn find(&self, work: &str, executor: &str) -> Option<&Series> {
        self.series
            .iter()
            .find(|series| series.work == work && series.executor == executor)
    }

    fn rates(&self, what: &str, wanted: Limit, work: &str, both: (String, String)) -> Option<Goal> {
        self.of(what, wanted, work, both, |sample| sample.rate)
    }

    fn of(
        &self,
        what: &str,
        wanted: Limit,
        work: &str,
        (a, b): (String, String),
        figure: fn(&Sample) -> f64,
    ) -> Option<Goal> {
        let (of, by) = (self.find(work, &a)?, self.find(work, &b)?);
        let goal = goal(what.to_owned(), wanted, ratio(of, by, figure)?);
        Some(goal.beside(by))
    }

    fn p99(&self, work: &str, wanted: Limit) -> Option<Goal> {
        let series = self.series.iter().find(|series| series.work == work)?;
        let spread = series.spread(|sample| sample.p99_us / 1000.0)?;
        let mut goal = goal(
            format!("p99 of {work}, {}", series.executor),
            wanted,
            spread,
        );
        // Refusals come soon, and store nothing.
        if series.failed() > 0 {
            goal.met = Some(false);
        }
        Some(goal)
    }

    /// The number of connections at which the server does most.
    fn best_server(&self, work: &str, options: &BenchOptions) -> Option<String> {
        let measured = options
            .connections
            .iter()
            .filter_map(|n| self.find(work, &server(*n)));
        let rate = |series: &&Series| series.median(|sample| sample.rate);
        measured
            .max_by(|a, b| rate(a).total_cmp(&rate(b)))
            .map(|series| series.executor.clone())
    }
}

fn goal(what: String, wanted: Limit, measured: Spread) -> Goal {
    let (wanted, met) = match wanted {
        Limit::AtLeast(limit) => (format!("at least {limit}"), Some(measured.median >= limit)),
        Limit::AtMost(limit) => (format!("at most {limit}"), Some(measured.median <= limit)),
        Limit::MillisAtMost(limit) => (
            format!("at most {limit} ms"),
            Some(measured.median <= limit),
        ),
        Limit::Unchanged => (
            "1 within noise".to_owned(),
            Some(measured.max >= 1.0 && (measured.min <= 1.0 || measured.median >= 1.0)),
        ),
        Limit::Shown => ("-".to_owned(), None),
    };
    Goal {
        what,
        wanted,
        measured,
        met,
    }
}

/// Series that a reader compares first: what the server does with each kind of request.
pub(crate) fn is_server(series: &Series) -> bool {
    series.executor.starts_with("server")
        && [CREATE, FIND, COUNT, SEARCH].contains(&series.work.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::Contents;
    use crate::options::Part;
    use crate::sample::Unit;

    fn series(work: &str, executor: String, rates: &[f64]) -> Series {
        let sample = |rate: &f64| Sample {
            rate: *rate,
            p99_us: *rate,
            ..Sample::default()
        };
        Series {
            work: work.to_owned(),
            executor,
            unit: Unit::Requests,
            samples: rates.iter().map(sample).collect(),
        }
    }

    fn options() -> BenchOptions {
        BenchOptions {
            plain: false,
            server: Default::default(),
            rows: 1000,
            peers: Default::default(),
            tables: vec![Contents::Laboratory],
            connections: vec![1, 64],
            rounds: 3,
            seconds: 1,
            threads: 1,
            only: vec![Part::Find],
        }
    }

    #[test]
    fn goals_follow_from_the_figures_and_from_nothing_else() {
        let slow = [
            series(FIND, server(64), &[80.0, 80.0, 90.0]),
            series(FIND, hello(64), &[100.0, 100.0, 100.0]),
            series(COUNT, server(64), &[99.0, 101.0, 100.0]),
            series(COUNT, empty(64), &[100.0, 100.0, 100.0]),
            series(BELOW_PEAK, "x".to_owned(), &[60_000.0]),
        ];
        let judged = judge(&options(), &slow);
        let met = |what: &str| {
            let goal = judged.iter().find(|goal| goal.what.contains(what));
            goal.and_then(|goal| goal.met)
        };
        assert_eq!(met("find by id / bare hello, 64"), Some(false));
        assert_eq!(met("count with 1000 rows"), Some(true));
        assert_eq!(met("p99 of create at 80 %"), Some(false));
        assert_eq!(met("create with 1000 rows"), None);
        let fast = [
            series(FIND, server(64), &[86.0]),
            series(FIND, hello(64), &[100.0]),
        ];
        assert_eq!(judge(&options(), &fast)[0].met, Some(true));
    }
}
