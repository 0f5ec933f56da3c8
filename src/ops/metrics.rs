//! Metrics of requests, at the front door.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::figures::{Answers, COMMIT};
use crate::api::Route;
use crate::histogram::Histogram;

/// Registers what was built, under the name that Prometheus' conventions have for it.
pub fn register_build(registry: &mut Registry) {
    let build = Info::new([
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", COMMIT.unwrap_or("unknown")),
    ]);
    registry.register("warrior_build", "The program", build);
}

/// Status codes are below this.
const STATUS_END: usize = 600;

/// Durations of requests, by route and status.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    /// A row for each route, a column for each status; made when it is first answered.
    durations: Arc<[OnceLock<Histogram>]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

/// 100 microseconds to 6.5 seconds.
fn seconds() -> Histogram {
    Histogram::of_times(Duration::from_micros(100), 2, 17)
}

impl RequestMetrics {
    /// Registers the metrics in `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let places = Route::ALL.len() * STATUS_END;
        let metrics = Self {
            durations: (0..places).map(|_| OnceLock::new()).collect(),
        };
        registry.register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Counts one request.
    pub fn answered(&self, route: Route, status: u16, took: Duration) {
        let place = route as usize * STATUS_END + usize::from(status);
        if let Some(duration) = self.durations.get(place) {
            duration.get_or_init(seconds).observe_time(took);
        }
    }

    /// The answers so far, by route and status.
    pub fn figures(&self) -> Vec<Answers> {
        let all = self.answered_so_far().map(|(route, status, duration)| {
            let observed = duration.observed();
            Answers {
                route: route.target().to_owned(),
                status,
                count: observed.count,
                seconds: observed.sum,
                buckets: observed.buckets,
            }
        });
        all.collect()
    }

    fn answered_so_far(&self) -> impl Iterator<Item = (Route, u16, &Histogram)> {
        let rows = Route::ALL.iter().zip(self.durations.chunks(STATUS_END));
        rows.flat_map(|(route, row)| {
            let answered = (0..).zip(row);
            answered.filter_map(|(status, duration)| Some((*route, status, duration.get()?)))
        })
    }
}

impl Collector for RequestMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let name = "http_server_request_duration_seconds";
        let help = "Time from a request's last byte to its answer.";
        let mut durations = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (route, status, duration) in self.answered_so_far() {
            let route = route.name();
            duration.encode(durations.encode_family(&RequestLabels { route, status })?)?;
        }
        Ok(())
    }
}
