//! Adding up what the generator threads hand over.

use crate::engine::{Interval, Tally};

/// A run as far as it has come.
#[derive(Debug, Default)]
pub struct Collected {
    /// Per endpoint, over the whole run.
    pub tallies: Vec<Tally>,
    /// What fell into the warm-up.
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
}

/// One second of a run, over all threads.
#[derive(Debug, Default)]
pub struct SecondTally {
    /// Per endpoint.
    pub tallies: Vec<Tally>,
    /// Requests without an answer at its end.
    pub in_flight: u64,
    /// Open connections at its end.
    pub connections: u64,
    /// Cores that the generator used.
    pub cpu: f64,
}

/// How many examples a result keeps.
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
            row.tallies[place].add(tally);
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
    }

    /// All endpoints together.
    pub fn total(&self) -> Tally {
        sum(&self.tallies)
    }
}

/// Several tallies as one.
pub fn sum(tallies: &[Tally]) -> Tally {
    let mut total = Tally::new();
    tallies.iter().for_each(|tally| total.add(tally));
    total
}
