//! Histograms of atomic counters: an observation takes no lock, and `/figures` can read them, too.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Counts of observations by upper bound, and their sum. Clones share them.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// Ascending; of times in nanoseconds.
    bounds: Vec<u64>,
    /// One for each bound, and one for what is above all of them.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
    /// What is counted in one unit of what is shown.
    units: f64,
}

/// What a histogram has observed; times in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Observations.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Upper bounds, and the observations up to each of them.
    pub buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// Of times, with so many bounds: `first`, and each `factor` times the one before.
    pub fn of_times(first: Duration, factor: u64, bounds: usize) -> Self {
        Self::new(nanoseconds(first), factor, bounds, 1e9)
    }

    /// Of numbers, with so many bounds: 1, 2, 4 and so on.
    pub fn of_numbers(bounds: usize) -> Self {
        Self::new(1, 2, bounds, 1.0)
    }

    fn new(first: u64, factor: u64, bounds: usize, units: f64) -> Self {
        let all = iter::successors(Some(first), |bound| bound.checked_mul(factor));
        let bounds: Vec<u64> = all.take(bounds).collect();
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Counts {
            bounds,
            counts,
            sum: AtomicU64::new(0),
            units,
        }))
    }

    /// Counts a number.
    pub fn observe(&self, value: u64) {
        let Counts {
            bounds,
            counts,
            sum,
            ..
        } = &*self.0;
        let place = bounds.partition_point(|bound| *bound < value);
        counts[place].fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a time.
    pub fn observe_time(&self, time: Duration) {
        self.observe(nanoseconds(time));
    }

    /// What was observed so far.
    pub fn observed(&self) -> Observed {
        let mut count = 0;
        let each = self.each();
        let cumulative = each.iter().map(|(bound, here)| {
            count += here;
            (*bound, count)
        });
        let mut buckets: Vec<(f64, u64)> = cumulative.collect();
        buckets.pop();
        Observed {
            count,
            sum: self.sum(),
            buckets,
        }
    }

    fn sum(&self) -> f64 {
        self.0.sum.load(Ordering::Relaxed) as f64 / self.0.units
    }

    /// The observations between each bound and the one before; the last is infinite.
    fn each(&self) -> Vec<(f64, u64)> {
        let shown = self.0.bounds.iter().map(|b| *b as f64 / self.0.units);
        let counts = self.0.counts.iter().map(|c| c.load(Ordering::Relaxed));
        shown.chain([f64::INFINITY]).zip(counts).collect()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let buckets = self.each();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_equals_a_bound_belongs_to_it() {
        let times = Histogram::of_times(Duration::from_millis(1), 2, 3);
        for micros in [0, 1000, 1001, 4000, 4001] {
            times.observe_time(Duration::from_micros(micros));
        }
        let Observed {
            count,
            sum,
            buckets,
        } = times.observed();
        assert_eq!(
            (count, buckets),
            (5, vec![(0.001, 2), (0.002, 3), (0.004, 4)])
        );
        assert!((sum - 0.010_002).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn numbers_are_counted_as_they_are() {
        let sizes = Histogram::of_numbers(3);
        for size in [1, 3, 5] {
            sizes.observe(size);
        }
        let observed = sizes.observed();
        assert_eq!(observed.sum, 9.0);
        assert_eq!(observed.buckets, [(1.0, 1), (2.0, 1), (4.0, 2)]);
        assert_eq!(observed.count, 3);
    }
}
