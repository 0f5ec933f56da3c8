//! What r2d2's pool shows of itself, under OpenTelemetry's names.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use r2d2::event::{CheckinEvent, CheckoutEvent, TimeoutEvent};
use r2d2::{HandleError, HandleEvent, Pool};

use super::connection::{LoginError, Manager};

/// Times of waiting and of use.
#[derive(Debug)]
pub(super) struct PoolEvents {
    wait: Histogram,
    used: Histogram,
}

/// Logins fail in the background, and are repeated there; the batch that misses a connection is what
/// gets a line at level warn.
#[derive(Debug)]
pub(super) struct QuietErrors;

struct Gauges(Pool<Manager>);

impl PoolEvents {
    pub(super) fn register(registry: &mut Registry, max: usize) -> Self {
        let seconds = || Histogram::new(exponential_buckets(5e-6, 4.0, 11));
        let events = Self {
            wait: seconds(),
            used: seconds(),
        };
        let size = Gauge::<i64>::default();
        size.set(i64::try_from(max).unwrap_or(i64::MAX));
        registry.register("db_client_connection_max", "Size of the r2d2 pool", size);
        registry.register(
            "db_client_connection_wait_time_seconds",
            "Time that a worker waited for its connection",
            events.wait.clone(),
        );
        registry.register(
            "db_client_connection_use_time_seconds",
            "Time that a worker held its connection",
            events.used.clone(),
        );
        events
    }
}

pub(super) fn register_gauges(registry: &mut Registry, pool: Pool<Manager>) {
    registry.register_collector(Box::new(Gauges(pool)));
}

impl HandleEvent for PoolEvents {
    fn handle_checkout(&self, event: CheckoutEvent) {
        self.wait.observe(event.duration().as_secs_f64());
    }

    fn handle_timeout(&self, event: TimeoutEvent) {
        self.wait.observe(event.timeout().as_secs_f64());
    }

    fn handle_checkin(&self, event: CheckinEvent) {
        self.used.observe(event.duration().as_secs_f64());
    }
}

impl HandleError<LoginError> for QuietErrors {
    fn handle_error(&self, error: LoginError) {
        tracing::debug!(error = %error, "a login failed");
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let state = self.0.state();
        let help = "Connections of the r2d2 pool";
        let kind = ConstGauge::new(0).metric_type();
        let mut family =
            encoder.encode_descriptor("db_client_connection_count", help, None, kind)?;
        let used = state.connections - state.idle_connections;
        for (name, count) in [("idle", state.idle_connections), ("used", used)] {
            ConstGauge::new(i64::from(count)).encode(family.encode_family(&[("state", name)])?)?;
        }
        Ok(())
    }
}
