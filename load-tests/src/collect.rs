//! The sum of the intervals that the generator threads hand over.

use crate::engine::{Interval, Tally};
use crate::latency_bands;
use crate::result::SecondRow;

/// A run as far as it has come.
#[derive(Debug, Default)]
pub struct Collected {
    /// Per endpoint, over the whole run.
    pub tallies: Vec<Tally>,
    /// Requests of the warm-up.
    pub warmup: Tally,
    /// Second by second.
    pub seconds: Vec<SecondTally>,
    /// The first examples of what went wrong.
    pub examples: Vec<String>,
    /// The greatest share of a core that one generator thread used in one second.
    pub cpu_max: f64,
    /// The priority of the generator's threads.
    pub nice: i32,
    /// CPU seconds that the generator threads used.
    pub cpu_seconds: f64,
    /// Why the ledger does not hold everything that was sent and answered.
    pub unrecorded: Option<String>,
}

/// One second of a run, over all threads.
#[derive(Debug, Default)]
pub struct SecondTally {
    /// Per endpoint; empty once the second is folded.
    pub tallies: Vec<Tally>,
    folded: Option<Folded>,
    /// Requests without an answer at its end.
    pub in_flight: u64,
    /// Open connections at its end.
    pub connections: u64,
    /// Cores that the generator used.
    pub cpu: f64,
}

/// The figures of an old second. Its histograms would be half a megabyte for each second of an
/// hour, and the live view would add all of them up again every second.
#[derive(Debug)]
struct Folded {
    total: SecondRow,
    endpoints: Vec<SecondRow>,
    latency_bands: Vec<u64>,
}

/// Bounds the newest seconds that keep their histograms: threads do not hand over at one moment.
const OPEN_SECONDS: usize = 10;

/// Bounds the examples that a result keeps.
const EXAMPLES_MAX: usize = 10;

impl Collected {
    /// Nothing yet.
    pub fn new(endpoints: usize) -> Collected {
        Collected {
            tallies: vec![Tally::new(); endpoints],
            ..Collected::default()
        }
    }

    /// Adds one interval of one thread.
    pub fn add(&mut self, interval: &Interval) {
        let second = usize::try_from(interval.second).unwrap_or(usize::MAX);
        let endpoints = self.tallies.len();
        while self.seconds.len() <= second {
            self.seconds.push(SecondTally {
                tallies: vec![Tally::new(); endpoints],
                ..SecondTally::default()
            });
        }
        let row = &mut self.seconds[second];
        for (place, tally) in interval.tallies.iter().enumerate() {
            self.tallies[place].add(tally);
            row.add(place, tally);
        }
        row.in_flight += interval.in_flight;
        row.connections += interval.connections;
        row.cpu += interval.cpu;
        self.warmup.add(&interval.warmup);
        self.cpu_max = self.cpu_max.max(interval.cpu);
        self.nice = interval.nice;
        self.cpu_seconds += interval.cpu_seconds;
        let room = EXAMPLES_MAX - self.examples.len().min(EXAMPLES_MAX);
        self.examples
            .extend(interval.examples.iter().take(room).cloned());
        let old = self.seconds.len().saturating_sub(OPEN_SECONDS);
        // Those before them were folded when they became old.
        let unfolded = self.seconds[..old].iter_mut().rev();
        unfolded
            .take_while(|second| second.folded.is_none())
            .for_each(SecondTally::fold);
    }

    /// All endpoints together.
    pub fn total(&self) -> Tally {
        sum(&self.tallies)
    }
}

impl SecondTally {
    /// The figures of all endpoints together.
    pub fn total(&self) -> SecondRow {
        match &self.folded {
            Some(folded) => folded.total.clone(),
            None => row(&sum(&self.tallies)),
        }
    }

    /// The figures of each endpoint.
    pub fn endpoints(&self) -> Vec<SecondRow> {
        match &self.folded {
            Some(folded) => folded.endpoints.clone(),
            None => self.tallies.iter().map(row).collect(),
        }
    }

    /// The latencies of all endpoints together, by band.
    pub fn latency_bands(&self) -> Vec<u64> {
        match &self.folded {
            Some(folded) => folded.latency_bands.clone(),
            None => latency_bands::counts(&sum(&self.tallies).latency),
        }
    }

    fn add(&mut self, endpoint: usize, tally: &Tally) {
        match &mut self.folded {
            Some(folded) => {
                count_late(&mut folded.total, tally);
                count_late(&mut folded.endpoints[endpoint], tally);
                let late = latency_bands::counts(&tally.latency);
                let bands = &mut folded.latency_bands;
                bands.resize(bands.len().max(late.len()), 0);
                bands
                    .iter_mut()
                    .zip(late)
                    .for_each(|(all, late)| *all += late);
            }
            None => self.tallies[endpoint].add(tally),
        }
    }

    fn fold(&mut self) {
        self.folded = Some(Folded {
            total: self.total(),
            endpoints: self.endpoints(),
            latency_bands: self.latency_bands(),
        });
        self.tallies = Vec::new();
    }
}

fn row(tally: &Tally) -> SecondRow {
    SecondRow {
        scheduled: tally.scheduled,
        succeeded: tally.succeeded(),
        failed: tally.failed(),
        p50_us: tally.latency.value_at_quantile(0.5),
        p99_us: tally.latency.value_at_quantile(0.99),
        p99_9_us: tally.latency.value_at_quantile(0.999),
        max_us: tally.latency.max(),
    }
}

/// Counts a tally that came after its second was folded: its quantiles have no histogram any more.
fn count_late(row: &mut SecondRow, tally: &Tally) {
    row.scheduled += tally.scheduled;
    row.succeeded += tally.succeeded();
    row.failed += tally.failed();
    row.max_us = row.max_us.max(tally.latency.max());
}

/// Several tallies as one.
pub fn sum(tallies: &[Tally]) -> Tally {
    let mut total = Tally::new();
    tallies.iter().for_each(|tally| total.add(tally));
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Outcome;

    fn interval(second: u64) -> Interval {
        let mut tally = Tally::new();
        tally.scheduled = 1;
        tally.outcomes.insert(Outcome::Prescribed(200), 1);
        tally.latency.record(1000 + second).expect("it resizes");
        Interval {
            second,
            tallies: vec![tally],
            warmup: Tally::new(),
            in_flight: 0,
            connections: 0,
            cpu: 0.0,
            cpu_seconds: 0.0,
            nice: 0,
            examples: Vec::new(),
        }
    }

    #[test]
    fn old_seconds_keep_their_figures_and_not_their_histograms() {
        let mut collected = Collected::new(1);
        (0..100).for_each(|second| collected.add(&interval(second)));
        let open = collected
            .seconds
            .iter()
            .filter(|second| !second.tallies.is_empty());
        assert_eq!(open.count(), OPEN_SECONDS);
        for (place, second) in collected.seconds.iter().enumerate() {
            let rows = [second.total(), second.endpoints()[0].clone()];
            for row in rows {
                assert_eq!((row.scheduled, row.succeeded), (1, 1));
                assert!(row.p50_us.abs_diff(1000 + place as u64) <= 1, "{row:?}");
            }
            assert_eq!(second.latency_bands().iter().sum::<u64>(), 1);
        }
        // A thread that was held up hands over an old second.
        collected.add(&interval(3));
        assert_eq!(collected.seconds[3].total().succeeded, 2);
        assert_eq!(collected.seconds[3].latency_bands().last(), Some(&2));
        assert_eq!(collected.total().succeeded(), 101);
    }
}
