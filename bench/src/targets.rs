//! What the figures should be, and whether they are.

use serde::Serialize;

use super::Options;
use super::cells::{self, COUNT, CREATE, FIND, empty, hello, pgbench, pgbench_alone, server};
use super::mixed::{ALONE, BELOW_PEAK, BESIDE, MIXED};
use super::pgbench::{BATCH, Script};
use super::sample::{Sample, Series, Spread, ratio};
use super::searches::Searches;

/// One target.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// What is compared.
    pub what: String,
    /// What it should be.
    pub wanted: String,
    /// What it is; a ratio, or milliseconds.
    pub measured: Spread,
    /// `true` when it is as it should be; `None` for figures that stand beside for comparison.
    pub held: Option<bool>,
}

/// How a figure should compare with its limit.
#[derive(Clone, Copy)]
enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    MillisAtMost(f64),
    /// As much as before, but for noise: some rounds are above it and some below.
    Unchanged,
    Shown,
}

/// The number of connections that stands for a busy server.
pub(super) fn crowd(options: &Options) -> usize {
    let connections = &options.connections;
    let greatest = connections.iter().max().copied().unwrap_or(64);
    connections
        .iter()
        .copied()
        .find(|n| *n == 64)
        .unwrap_or(greatest)
}

/// Everything that can be judged from what was measured.
pub(super) fn judge(options: &Options, series: &[Series], searches: &[Searches]) -> Vec<Target> {
    let crowd = crowd(options);
    let mut targets = Vec::new();
    let judged = Judged { series };
    for (work, what) in [(FIND, "find by id"), (COUNT, "count")] {
        for connections in &options.connections {
            let wanted = if *connections == crowd {
                Wanted::AtLeast(0.85)
            } else {
                Wanted::Shown
            };
            let what = format!("{what} / bare hello, {connections} connections");
            let both = (server(*connections), hello(*connections));
            targets.extend(judged.rates(&what, wanted, work, both));
        }
    }
    let rows = options.rows;
    let emptied = |n| (server(n), empty(n));
    targets.extend(judged.rates(
        &format!("count with {rows} rows / empty table"),
        Wanted::Unchanged,
        COUNT,
        emptied(crowd),
    ));
    let batches = pgbench(Script::Create, BATCH, false);
    let pooled = pgbench(Script::Create, BATCH, true);
    let bare = pgbench(Script::CreateBare, BATCH, false);
    if let Some(best) = judged.best_server(CREATE, options) {
        for (reference, wanted) in [(&batches, Wanted::AtLeast(0.8)), (&pooled, Wanted::Shown)] {
            let what = format!("create, {best} / {reference}");
            let both = (best.clone(), reference.clone());
            targets.extend(judged.rates(&what, wanted, CREATE, both));
        }
    }
    targets.extend(judged.rates(
        "pgbench batches of 50, direct / the same into the bare table",
        Wanted::AtLeast(0.2),
        CREATE,
        (batches, bare),
    ));
    targets.extend(judged.rates(
        &format!("create with {rows} rows / empty table"),
        Wanted::AtLeast(0.8),
        CREATE,
        emptied(crowd),
    ));
    for (work, script) in [(CREATE, Script::Create), (FIND, Script::Find)] {
        targets.extend(judged.of(
            &format!("p50 of {work}, 1 connection / pgbench, 1 row, 1 client, PgBouncer"),
            Wanted::AtMost(1.5),
            work,
            (server(1), pgbench_alone(script)),
            |sample| sample.p50_us,
        ));
    }
    targets.extend(judged.p99(BELOW_PEAK, Wanted::MillisAtMost(50.0)));
    targets.extend(judged.rates(
        "create beside 32 connections of the worst searches / alone",
        Wanted::AtLeast(0.5),
        MIXED,
        (BESIDE.to_owned(), ALONE.to_owned()),
    ));
    targets.extend(of_searches(rows, searches));
    targets
}

/// Each class within 10 ms up to a million rows, and within twice that beyond.
fn of_searches(rows: u64, searches: &[Searches]) -> Vec<Target> {
    let limit = if rows > 1_000_000 { 20.0 } else { 10.0 };
    let classes = searches
        .iter()
        .flat_map(|state| state.classes.iter().map(move |class| (state, class)));
    classes
        .filter_map(|(state, class)| {
            let mut target = target(
                format!("search p99: {} ({})", class.name, state.table),
                Wanted::MillisAtMost(limit),
                class.series.spread(|sample| sample.p99_us / 1000.0)?,
            );
            // Refusals come soon, and answer nothing.
            if class.series.failed() > 0 {
                target.held = Some(false);
            }
            Some(target)
        })
        .collect()
}

struct Judged<'a> {
    series: &'a [Series],
}

impl Judged<'_> {
    fn find(&self, work: &str, by: &str) -> Option<&Series> {
        self.series
            .iter()
            .find(|series| series.work == work && series.by == by)
    }

    fn rates(
        &self,
        what: &str,
        wanted: Wanted,
        work: &str,
        both: (String, String),
    ) -> Option<Target> {
        self.of(what, wanted, work, both, |sample| sample.rate)
    }

    fn of(
        &self,
        what: &str,
        wanted: Wanted,
        work: &str,
        (a, b): (String, String),
        figure: fn(&Sample) -> f64,
    ) -> Option<Target> {
        let spread = ratio(self.find(work, &a)?, self.find(work, &b)?, figure)?;
        Some(target(what.to_owned(), wanted, spread))
    }

    fn p99(&self, work: &str, wanted: Wanted) -> Option<Target> {
        let series = self.series.iter().find(|series| series.work == work)?;
        let spread = series.spread(|sample| sample.p99_us / 1000.0)?;
        let mut target = target(format!("p99 of {work}, {}", series.by), wanted, spread);
        // Refusals come soon, and store nothing.
        if series.failed() > 0 {
            target.held = Some(false);
        }
        Some(target)
    }

    /// The number of connections at which the server does most.
    fn best_server(&self, work: &str, options: &Options) -> Option<String> {
        let measured = options
            .connections
            .iter()
            .filter_map(|n| self.find(work, &server(*n)));
        let rate = |series: &&Series| series.median(|sample| sample.rate);
        measured
            .max_by(|a, b| rate(a).total_cmp(&rate(b)))
            .map(|series| series.by.clone())
    }
}

fn target(what: String, wanted: Wanted, measured: Spread) -> Target {
    let (wanted, held) = match wanted {
        Wanted::AtLeast(limit) => (format!("at least {limit}"), Some(measured.median >= limit)),
        Wanted::AtMost(limit) => (format!("at most {limit}"), Some(measured.median <= limit)),
        Wanted::MillisAtMost(limit) => (
            format!("at most {limit} ms"),
            Some(measured.median <= limit),
        ),
        Wanted::Unchanged => (
            "1 within noise".to_owned(),
            Some(measured.max >= 1.0 && (measured.min <= 1.0 || measured.median >= 1.0)),
        ),
        Wanted::Shown => ("-".to_owned(), None),
    };
    Target {
        what,
        wanted,
        measured,
        held,
    }
}

/// Series that a reader compares first: what the server does with each kind of request.
pub(super) fn is_server(series: &Series) -> bool {
    series.by.starts_with("server")
        && [CREATE, FIND, COUNT, cells::SEARCH].contains(&series.work.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;
    use crate::sample::Unit;

    fn series(work: &str, by: String, rates: &[f64]) -> Series {
        let sample = |rate: &f64| Sample {
            rate: *rate,
            p99_us: *rate,
            ..Sample::default()
        };
        Series {
            work: work.to_owned(),
            by,
            unit: Unit::Requests,
            samples: rates.iter().map(sample).collect(),
        }
    }

    fn options() -> Options {
        Options {
            server: Default::default(),
            rows: 1000,
            distinct_skills: false,
            connections: vec![1, 64],
            rounds: 3,
            seconds: 1,
            threads: 1,
            only: vec![Part::Find],
        }
    }

    #[test]
    fn targets_follow_from_the_figures_and_from_nothing_else() {
        let slow = [
            series(FIND, server(64), &[80.0, 80.0, 90.0]),
            series(FIND, hello(64), &[100.0, 100.0, 100.0]),
            series(COUNT, server(64), &[99.0, 101.0, 100.0]),
            series(COUNT, empty(64), &[100.0, 100.0, 100.0]),
            series(BELOW_PEAK, "x".to_owned(), &[60_000.0]),
        ];
        let judged = judge(&options(), &slow, &[]);
        let held = |what: &str| {
            let target = judged.iter().find(|target| target.what.contains(what));
            target.and_then(|target| target.held)
        };
        assert_eq!(held("find by id / bare hello, 64"), Some(false));
        assert_eq!(held("count with 1000 rows"), Some(true));
        assert_eq!(held("p99 of create at 80 %"), Some(false));
        assert_eq!(held("create with 1000 rows"), None);
        let fast = [
            series(FIND, server(64), &[86.0]),
            series(FIND, hello(64), &[100.0]),
        ];
        assert_eq!(judge(&options(), &fast, &[])[0].held, Some(true));
    }
}
