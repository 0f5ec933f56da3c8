//! The goals of a class of searches.

use serde::Serialize;

use super::{Goal, Limit, goal};
use crate::sample::{Series, ratio};
use crate::searches::Searches;

/// A table of more rows may take twice as long.
const ROWS: u64 = 1_000_000;

/// The goals of one class; none where nothing was measured.
#[derive(Clone, Debug, Serialize)]
pub struct ClassGoals {
    /// The table.
    pub table: String,
    /// The class.
    pub class: String,
    /// p99 where fewer than ten rows are found.
    pub few: Option<Goal>,
    /// p99 where fifty are found.
    pub fifty: Option<Goal>,
    /// PostgreSQL's CPU time, in milliseconds.
    pub postgres: Option<Goal>,
    /// The rate beside that of the same function, called one by one.
    pub one_by_one: Option<Goal>,
}

/// Judges every class of every table.
pub(crate) fn of_classes(rows: u64, searches: &[Searches]) -> Vec<ClassGoals> {
    let classes = searches
        .iter()
        .flat_map(|state| state.classes.iter().map(move |class| (state, class)));
    classes
        .map(|(state, class)| {
            of_class(rows, &state.table, &class.series, class.one_by_one.as_ref())
        })
        .collect()
}

/// Judges a class by what was measured of it, and of the peer that calls the function for each request.
fn of_class(rows: u64, table: &str, class: &Series, one_by_one: Option<&Series>) -> ClassGoals {
    let factor = if rows > ROWS { 2.0 } else { 1.0 };
    let millis = |limit: f64| Limit::MillisAtMost(limit * factor);
    let judged = |what: &str, wanted: Limit, measured| {
        let mut goal = goal(
            format!("{what}: {} ({table})", class.executor),
            wanted,
            measured,
        );
        // Refusals come soon, and answer nothing.
        if class.failed() > 0 {
            goal.met = Some(false);
        }
        goal
    };
    let few = class.spread_of_some(|sample| Some(sample.few_p99_us? / 1000.0));
    let fifty = class.spread_of_some(|sample| Some(sample.fifty_p99_us? / 1000.0));
    let postgres = class.spread(|sample| sample.cpu_us.postgres / 1000.0);
    let ratio = one_by_one.and_then(|peer| Some((peer, ratio(class, peer, |sample| sample.rate)?)));
    ClassGoals {
        table: table.to_owned(),
        class: class.executor.clone(),
        few: few.map(|spread| judged("p99 of searches that find under 10", millis(10.0), spread)),
        fifty: fifty.map(|spread| judged("p99 of searches that find 50", millis(15.0), spread)),
        postgres: postgres
            .map(|spread| judged("PostgreSQL's CPU time for a search", millis(0.3), spread)),
        one_by_one: ratio.map(|(peer, spread)| {
            judged("rate / one by one", Limit::AtLeast(1.0), spread).beside(peer)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Cpu, Sample, Unit};

    fn series(rate: f64, few_p99_us: Option<f64>, failed: u64) -> Series {
        let sample = Sample {
            rate,
            few_p99_us,
            failed,
            cpu_us: Cpu {
                postgres: 299.0,
                ..Cpu::default()
            },
            ..Sample::default()
        };
        Series {
            work: "search by class".to_owned(),
            executor: "rare".to_owned(),
            unit: Unit::Requests,
            samples: vec![sample],
        }
    }

    #[test]
    fn a_class_is_judged_by_what_it_finds_and_costs() {
        let met = |goal: &Option<Goal>| goal.as_ref().and_then(|goal| goal.met);
        let quick = series(2.0, Some(10_000.0), 0);
        let goals = of_class(1_000_000, "t", &quick, Some(&series(2.1, None, 0)));
        assert_eq!((met(&goals.few), met(&goals.fifty)), (Some(true), None));
        assert_eq!(met(&goals.postgres), Some(true));
        assert_eq!(met(&goals.one_by_one), Some(false));
        let slow = series(2.0, Some(12_000.0), 0);
        assert_eq!(met(&of_class(1_000_000, "t", &slow, None).few), Some(false));
        assert_eq!(met(&of_class(10_000_000, "t", &slow, None).few), Some(true));
        let refused = series(2.0, Some(1_000.0), 1);
        assert_eq!(
            met(&of_class(1_000_000, "t", &refused, None).few),
            Some(false)
        );
    }
}
