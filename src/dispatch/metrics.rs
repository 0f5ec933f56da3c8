//! Metrics of lanes: counters and histograms of batches and refusals, gauges of queues and of the breaker.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::job::Job;
use super::outcome::Reason;
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
    lane: &'static str,
    refused: Family<RefusedLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
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
    Histogram::new(exponential_buckets(50e-6, 2.0, 18))
}

/// 1 to 2048 requests.
fn requests() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 12))
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
        let duration = "Time that a worker spent on one batch, its retry included";
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
        // A series that is missing until its first failure cannot be alerted on.
        for reason in Reason::REFUSALS.map(Reason::name) {
            let _ = self.refused.get_or_create(&RefusedLabels { lane, reason });
        }
        for class in Class::ALL.map(Class::name) {
            let _ = self.failures.get_or_create(&FailureLabels { lane, class });
        }
        let label = LaneLabel { lane };
        LaneMetrics {
            lane,
            refused: self.refused.clone(),
            failures: self.failures.clone(),
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
        self.refused
            .get_or_create(&RefusedLabels {
                lane: self.lane,
                reason: reason.name(),
            })
            .inc();
    }

    pub(super) fn batch_began<Q, R>(&self, jobs: &[Job<Q, R>], now: Instant) {
        self.batch_size.observe(jobs.len() as f64);
        for job in jobs {
            self.queue_wait
                .observe(now.duration_since(job.queued_at).as_secs_f64());
        }
    }

    pub(super) fn batch_ended(&self, took: Duration) {
        self.batch_duration.observe(took.as_secs_f64());
    }

    pub(super) fn failed(&self, class: Class) {
        self.failures
            .get_or_create(&FailureLabels {
                lane: self.lane,
                class: class.name(),
            })
            .inc();
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
    pub(super) waiting: usize,
    /// Since 1970; 0 before the first success.
    pub(super) last_success_seconds: f64,
    /// The age of the oldest batch that runs.
    pub(super) oldest_batch: Duration,
}

/// The state of the breaker and of all lanes, as their gauges show it.
pub(super) struct Reading {
    pub(super) breaker_open: bool,
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
        let open = ConstGauge::new(i64::from(reading.breaker_open));
        let help = "1 while the database is gone and requests are refused.";
        open.encode(encoder.encode_descriptor("breaker_open", help, None, open.metric_type())?)?;
        let help = "Requests that wait in a lane.";
        let mut waiting =
            encoder.encode_descriptor("queue_depth", help, None, MetricType::Gauge)?;
        for vitals in lanes {
            let depth = i64::try_from(vitals.waiting).unwrap_or(i64::MAX);
            ConstGauge::new(depth).encode(waiting.encode_family(&[("lane", vitals.lane)])?)?;
        }
        let name = "batch_last_success_timestamp_seconds";
        let help =
            "When the database last answered a batch, in seconds since 1970; 0 before the first.";
        let mut last = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for vitals in lanes {
            let at = ConstGauge::new(vitals.last_success_seconds);
            at.encode(last.encode_family(&[("lane", vitals.lane)])?)?;
        }
        let name = "batch_oldest_seconds";
        let help = "Age of the oldest batch that runs, since its last attempt; 0 when none does.";
        let mut oldest = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for vitals in lanes {
            let age = ConstGauge::new(vitals.oldest_batch.as_secs_f64());
            age.encode(oldest.encode_family(&[("lane", vitals.lane)])?)?;
        }
        Ok(())
    }
}
