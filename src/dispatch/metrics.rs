//! Metrics of lanes: counters and histograms of batches and refusals, gauges of queues and of the breaker.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::figures::BreakerFigures;
use super::job::Job;
use super::outcome::Reason;
use super::pace::LaneSize;
use crate::histogram::{Histogram, Observed};
use crate::store::Class;

/// The families that all lanes share, each metric labelled with its lane.
pub(super) struct Families {
    refused: Family<RefusedLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    rejected_rows: Family<LaneLabel, Counter>,
    panics: Family<LaneLabel, Counter>,
    queue_wait: Family<LaneLabel, Histogram, fn() -> Histogram>,
    batch_size: Family<LaneLabel, Histogram, fn() -> Histogram>,
    batch_duration: Family<LaneLabel, Histogram, fn() -> Histogram>,
}

/// The counters and histograms of one lane.
pub(super) struct LaneMetrics {
    /// In the order of [`Reason::REFUSALS`].
    refused: [Counter; Reason::REFUSALS.len()],
    /// In the order of [`Class::ALL`].
    failures: [Counter; Class::ALL.len()],
    rejected_rows: Counter,
    panics: Counter,
    queue_wait: Histogram,
    batch_size: Histogram,
    batch_duration: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    lane: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    lane: &'static str,
    class: &'static str,
}

/// 50 microseconds to 6.5 seconds.
fn seconds() -> Histogram {
    Histogram::of_times(Duration::from_micros(50), 2, 18)
}

/// 1 to 2048 requests.
fn requests() -> Histogram {
    Histogram::of_numbers(12)
}

impl Families {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            refused: Family::default(),
            failures: Family::default(),
            rejected_rows: Family::default(),
            panics: Family::default(),
            queue_wait: Family::new_with_constructor(seconds as fn() -> Histogram),
            batch_size: Family::new_with_constructor(requests as fn() -> Histogram),
            batch_duration: Family::new_with_constructor(seconds as fn() -> Histogram),
        };
        let f = &families;
        let wait = "Time from the door to a worker";
        registry.register("queue_wait_seconds", wait, f.queue_wait.clone());
        registry.register("batch_size", "Requests in one batch", f.batch_size.clone());
        let duration =
            "Time that a worker spent on one batch, without its waits for a database that is out";
        registry.register("batch_duration_seconds", duration, f.batch_duration.clone());
        registry.register(
            "refused",
            "Requests refused at the door, or for want of memory for their answers",
            f.refused.clone(),
        );
        registry.register(
            "batch_failures",
            "Attempts at a batch that failed",
            f.failures.clone(),
        );
        let rejected = "Rows that passed validation and that the database refused";
        registry.register("rejected_rows", rejected, f.rejected_rows.clone());
        registry.register("worker_panics", "Batches that panicked", f.panics.clone());
        families
    }

    pub(super) fn lane(&self, lane: &'static str) -> LaneMetrics {
        let label = LaneLabel { lane };
        LaneMetrics {
            // All at once: a series that is missing until its first failure cannot be alerted on.
            refused: Reason::REFUSALS.map(|reason| {
                let reason = reason.name();
                let labels = RefusedLabels { lane, reason };
                self.refused.get_or_create_owned(&labels)
            }),
            failures: Class::ALL.map(|class| {
                let class = class.name();
                let labels = FailureLabels { lane, class };
                self.failures.get_or_create_owned(&labels)
            }),
            rejected_rows: self.rejected_rows.get_or_create_owned(&label),
            panics: self.panics.get_or_create_owned(&label),
            queue_wait: self.queue_wait.get_or_create_owned(&label),
            batch_size: self.batch_size.get_or_create_owned(&label),
            batch_duration: self.batch_duration.get_or_create_owned(&label),
        }
    }
}

impl LaneMetrics {
    pub(super) fn refused(&self, reason: Reason) {
        let mut all = Reason::REFUSALS.iter().zip(&self.refused);
        if let Some((_, counter)) = all.find(|(of, _)| **of == reason) {
            counter.inc();
        }
    }

    /// Refusals so far, by reason.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (Reason, u64)> {
        let counts = self.refused.iter().map(Counter::get);
        Reason::REFUSALS.into_iter().zip(counts)
    }

    /// The sizes of the batches so far, and the seconds that they took.
    pub(super) fn batches(&self) -> (Observed, f64) {
        let took = self.batch_duration.observed().sum;
        (self.batch_size.observed(), took)
    }

    pub(super) fn batch_began<Q, R>(&self, jobs: &[Job<Q, R>], now: Instant) {
        self.batch_size.observe(jobs.len() as u64);
        for job in jobs {
            self.queue_wait.observe_time(job.taken(now));
        }
    }

    pub(super) fn batch_ended(&self, took: Duration) {
        self.batch_duration.observe_time(took);
    }

    pub(super) fn failed(&self, class: Class) {
        let mut all = Class::ALL.iter().zip(&self.failures);
        if let Some((_, counter)) = all.find(|(of, _)| **of == class) {
            counter.inc();
        }
    }

    /// A row passed validation, and the database refused it.
    pub(super) fn row_rejected(&self) {
        self.rejected_rows.inc();
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }
}

/// A lane as its gauges show it.
pub(super) struct Vitals {
    pub(super) lane: &'static str,
    pub(super) size: LaneSize,
    /// Workers that run a batch.
    pub(super) busy: usize,
    pub(super) waiting: usize,
    /// Since 1970; 0 before the first success.
    pub(super) last_success_seconds: f64,
    /// The age of the oldest batch that runs.
    pub(super) oldest_batch: Duration,
}

/// The state of the breaker and of all lanes, as their gauges show it.
pub(super) struct Reading {
    pub(super) breaker: BreakerFigures,
    pub(super) lanes: [Vitals; 3],
}

/// Gauges, read at the scrape. Registries outlive lanes, so the function keeps none alive, and has no reading once
/// they have ended.
pub(super) struct Gauges<F>(pub(super) F);

impl<F> fmt::Debug for Gauges<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl<F: Fn() -> Option<Reading> + Send + Sync + 'static> Collector for Gauges<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(reading) = (self.0)() else {
            return Ok(());
        };
        let lanes = &reading.lanes;
        let open = ConstGauge::new(i64::from(reading.breaker.open));
        let help = "1 while the database is gone and requests are refused.";
        open.encode(encoder.encode_descriptor("breaker_open", help, None, open.metric_type())?)?;
        let outage = ConstGauge::new(reading.breaker.outage_seconds);
        let help =
            "Age of the database's outage, which requests wait out at first; 0 while it answers.";
        let outage_type = outage.metric_type();
        outage.encode(encoder.encode_descriptor("outage_seconds", help, None, outage_type)?)?;
        let mut gauges = ByLane {
            encoder: &mut encoder,
            lanes,
        };
        gauges.encode("queue_depth", "Requests that wait in a lane.", |lane| {
            lane.waiting
        })?;
        gauges.encode("queue_max", "Most requests that may wait.", |lane| {
            lane.size.queue_max
        })?;
        gauges.encode("batch_size_max", "Most requests in one batch.", |lane| {
            lane.size.batch_max
        })?;
        gauges.encode("workers", "Worker threads of a lane.", |lane| {
            lane.size.workers
        })?;
        gauges.encode("workers_busy", "Workers that execute a batch.", |lane| {
            lane.busy
        })?;
        gauges.encode(
            "batch_last_success_timestamp_seconds",
            "When the database last answered a batch, in seconds since 1970; 0 before the first.",
            |lane| lane.last_success_seconds,
        )?;
        gauges.encode(
            "batch_oldest_seconds",
            "Age of the oldest batch that runs, since its last attempt; 0 when none does.",
            |lane| lane.oldest_batch.as_secs_f64(),
        )
    }
}

/// Gauges with a value for each lane.
struct ByLane<'r, 'e> {
    encoder: &'r mut DescriptorEncoder<'e>,
    lanes: &'r [Vitals],
}

impl ByLane<'_, '_> {
    fn encode<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        of: impl Fn(&Vitals) -> V,
    ) -> Result<(), fmt::Error> {
        let encoder = &mut self.encoder;
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        self.lanes.iter().try_for_each(|lane| {
            let labels = [("lane", lane.lane)];
            family.encode_family(&labels)?.encode_gauge(&of(lane))
        })
    }
}
