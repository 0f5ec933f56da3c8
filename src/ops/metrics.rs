//! Metrics of requests, at the front door.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Durations of requests, by route and status.
#[derive(Clone)]
pub struct RequestMetrics {
    duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

/// 100 microseconds to 6.5 seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(100e-6, 2.0, 17))
}

impl RequestMetrics {
    /// Registers the metrics in `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let duration = Family::new_with_constructor(seconds as fn() -> Histogram);
        registry.register(
            "http_server_request_duration_seconds",
            "Time from a request's last byte to its answer",
            duration.clone(),
        );
        Self { duration }
    }

    /// Counts one request.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.duration
            .get_or_create(&RequestLabels { route, status })
            .observe(took.as_secs_f64());
    }
}
