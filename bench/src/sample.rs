//! Samples: the figures of one measurement, and their spread over the rounds.

use serde::Serialize;

/// CPU time of the parts of a stack, and of the generator that keeps it busy: in seconds, or in
/// microseconds for each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// warrior-api, or what stands in its place.
    pub server: f64,
    /// All processes of PostgreSQL.
    pub postgres: f64,
    /// PgBouncer.
    pub pooler: f64,
    /// The load generator, or pgbench.
    pub generator: f64,
}

impl Cpu {
    pub(crate) fn minus(self, before: Cpu) -> Cpu {
        Cpu {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            pooler: self.pooler - before.pooler,
            generator: self.generator - before.generator,
        }
    }

    pub(crate) fn times(self, factor: f64) -> Cpu {
        Cpu {
            server: self.server * factor,
            postgres: self.postgres * factor,
            pooler: self.pooler * factor,
            generator: self.generator * factor,
        }
    }

    pub(crate) fn sum(self) -> f64 {
        self.server + self.postgres + self.pooler + self.generator
    }
}

/// One measurement, over some seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Requests that were answered as prescribed, or rows, per second.
    pub rate: f64,
    /// Half of them took at most so many microseconds.
    pub p50_us: f64,
    /// 99 of 100 took at most so many microseconds.
    pub p99_us: f64,
    /// The slowest one.
    pub max_us: f64,
    /// The same as `p99_us` of searches that find fewer than ten rows, where any were told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few_p99_us: Option<f64>,
    /// The same of searches that find fifty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fifty_p99_us: Option<f64>,
    /// How many there were.
    pub done: u64,
    /// How many were answered in another way, or not at all.
    pub failed: u64,
    /// CPU time for each, in microseconds.
    pub cpu_us: Cpu,
    /// The cores that the generator had in use.
    pub generator_cores: f64,
    /// The cores that neither the stack nor the generator had in use: the kernel, and whatever else
    /// ran on the machine and so disturbed this measurement.
    pub other_cores: f64,
}

/// The same thing measured in every round.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// The work: `create`, `find`, ...
    pub work: String,
    /// The program that does it, and how.
    pub executor: String,
    /// The unit of `rate`.
    pub unit: Unit,
    /// One for each round.
    pub samples: Vec<Sample>,
}

/// The unit of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// HTTP requests.
    Requests,
    /// Rows of a table.
    Rows,
}

/// The median and the extremes of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the rounds are below.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of any number of values; `None` for none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        };
        Some(Spread { median, min, max })
    }
}

impl Series {
    /// The spread of one figure over the rounds.
    pub fn spread(&self, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.iter().map(figure))
    }

    /// The spread of a figure that not every round has.
    pub(crate) fn spread_of_some(&self, figure: impl Fn(&Sample) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.samples.iter().filter_map(figure))
    }

    /// The median of one figure; 0 without rounds.
    pub fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        self.spread(figure).map_or(0.0, |spread| spread.median)
    }

    /// Everything that failed, in all rounds.
    pub fn failed(&self) -> u64 {
        self.samples.iter().map(|sample| sample.failed).sum()
    }
}

/// The ratio of two series, round by round: neighbours in time are compared with each other.
pub(crate) fn ratio(a: &Series, b: &Series, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
    let pairs = a.samples.iter().zip(&b.samples);
    Spread::of(
        pairs
            .map(|(a, b)| figure(a) / figure(b))
            .filter(|ratio| ratio.is_finite()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(rates: &[f64]) -> Series {
        let sample = |rate: &f64| Sample {
            rate: *rate,
            ..Sample::default()
        };
        Series {
            work: "w".to_owned(),
            executor: "b".to_owned(),
            unit: Unit::Requests,
            samples: rates.iter().map(sample).collect(),
        }
    }

    #[test]
    fn the_median_is_the_middle_and_ratios_compare_neighbours() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[]), None);
        let odd = spread(&[3.0, 1.0, 2.0]).expect("three");
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]).expect("four").median, 2.5);
        // The machine was three times as fast in the second round, for both.
        let (a, b) = (series(&[10.0, 30.0]), series(&[20.0, 60.0]));
        let both = ratio(&a, &b, |sample| sample.rate).expect("two rounds");
        assert_eq!((both.min, both.max), (0.5, 0.5));
        assert_eq!(ratio(&a, &series(&[0.0]), |sample| sample.rate), None);
    }
}
