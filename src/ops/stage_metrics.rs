//! Metrics of stages: where the time of each lane's requests went, summed up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

use super::figures::Stages as Figures;
use crate::dispatch::{LANES, Stages};
use crate::http::WriteTimes;

/// Sums of all requests' stages, by lane.
#[derive(Clone, Debug)]
pub struct StageMetrics {
    lanes: Arc<[Sums; LANES.len()]>,
    writes: WriteTimes,
}

#[derive(Debug, Default)]
struct Sums {
    requests: AtomicU64,
    /// Nanoseconds, in the order of [`Stages::named`].
    stages: [AtomicU64; 5],
}

impl StageMetrics {
    /// Registers the metrics in `registry`; the times of `writes` are by lane, too.
    pub fn register(registry: &mut Registry, writes: WriteTimes) -> Self {
        let metrics = Self {
            lanes: Arc::default(),
            writes,
        };
        registry.register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Counts an answer.
    pub fn answered(&self, stages: &Stages) {
        let Some(lane) = stages.lane.and_then(|lane| self.lanes.get(lane)) else {
            return;
        };
        lane.requests.fetch_add(1, Ordering::Relaxed);
        for (sum, (_, time)) in lane.stages.iter().zip(stages.named()) {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            sum.fetch_add(nanos, Ordering::Relaxed);
        }
    }

    /// The sums so far, by lane.
    pub fn figures(&self) -> BTreeMap<String, Figures> {
        let each = self.lanes.iter().enumerate().map(|(lane, sums)| {
            let [parse, queue, connect, database, render] = sums.seconds();
            let figures = Figures {
                requests: sums.requests.load(Ordering::Relaxed),
                parse_seconds: parse,
                queue_seconds: queue,
                connect_seconds: connect,
                database_seconds: database,
                render_seconds: render,
                write_seconds: self.writes.of(lane).as_secs_f64(),
            };
            (LANES[lane].to_owned(), figures)
        });
        each.collect()
    }
}

impl Sums {
    fn seconds(&self) -> [f64; 5] {
        (self.stages.each_ref())
            .map(|sum| Duration::from_nanos(sum.load(Ordering::Relaxed)).as_secs_f64())
    }
}

impl Collector for StageMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Requests that came to a lane and were answered, refused ones among them.";
        let kind = MetricType::Counter;
        let mut requests = encoder.encode_descriptor("lane_requests", help, None, kind)?;
        for (lane, sums) in LANES.iter().zip(self.lanes.iter()) {
            let count = ConstCounter::new(sums.requests.load(Ordering::Relaxed));
            count.encode(requests.encode_family(&[("lane", *lane)])?)?;
        }
        let help = "Time of those requests by stage; all but write add up to their durations.";
        let mut times = encoder.encode_descriptor("stage_seconds", help, None, kind)?;
        let names = Stages::default().named().map(|(name, _)| name);
        for (number, (lane, sums)) in LANES.iter().zip(self.lanes.iter()).enumerate() {
            let write = ("write", self.writes.of(number).as_secs_f64());
            for (stage, seconds) in names.into_iter().zip(sums.seconds()).chain([write]) {
                let labels = [("lane", *lane), ("stage", stage)];
                ConstCounter::new(seconds).encode(times.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
