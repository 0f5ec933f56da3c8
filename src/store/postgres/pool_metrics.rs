//! Metrics of the connection pool, under OpenTelemetry's names.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use r2d2::event::{AcquireEvent, CheckinEvent, CheckoutEvent, ReleaseEvent, TimeoutEvent};
use r2d2::{HandleError, HandleEvent};

use super::login::LoginError;
use crate::throttle::throttled;

/// Connections by state, and times of waiting and of use. Counted from events: a registry that held
/// the pool itself could be the last to drop it, on an async thread.
#[derive(Debug)]
pub(super) struct PoolEvents {
    idle: Gauge,
    used: Gauge,
    waited: Histogram,
    held: Histogram,
    timeouts: prometheus_client::metrics::counter::Counter,
}

/// Logins fail in the background, and are repeated there: with no worker waiting for a connection, this line is
/// the only sign.
#[derive(Debug)]
pub(super) struct LoginFailures;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

impl PoolEvents {
    pub(super) fn register(registry: &mut Registry, size: usize) -> Self {
        let seconds = || Histogram::new(exponential_buckets(5e-6, 4.0, 11));
        let count = Family::<State, Gauge>::default();
        let events = Self {
            idle: count.get_or_create_owned(&State { state: "idle" }),
            used: count.get_or_create_owned(&State { state: "used" }),
            waited: seconds(),
            held: seconds(),
            timeouts: Default::default(),
        };
        let max = Gauge::<i64>::default();
        max.set(i64::try_from(size).unwrap_or(i64::MAX));
        registry.register("db_client_connection_max", "Size of the r2d2 pool", max);
        // OpenTelemetry calls it db.client.connection.count, an ending that OpenMetrics keeps for histograms.
        registry.register(
            "db_client_connections",
            "Connections of the r2d2 pool",
            count,
        );
        let help = "Time that a worker waited for its connection";
        registry.register(
            "db_client_connection_wait_time_seconds",
            help,
            events.waited.clone(),
        );
        let help = "Time that a worker held its connection";
        registry.register(
            "db_client_connection_use_time_seconds",
            help,
            events.held.clone(),
        );
        let help = "Workers that waited for a connection in vain";
        registry.register(
            "db_client_connection_timeouts",
            help,
            events.timeouts.clone(),
        );
        events
    }
}

impl HandleEvent for PoolEvents {
    fn handle_acquire(&self, _: AcquireEvent) {
        self.idle.inc();
    }

    fn handle_release(&self, _: ReleaseEvent) {
        self.idle.dec();
    }

    fn handle_checkout(&self, event: CheckoutEvent) {
        self.idle.dec();
        self.used.inc();
        self.waited.observe(event.duration().as_secs_f64());
    }

    fn handle_timeout(&self, event: TimeoutEvent) {
        self.timeouts.inc();
        self.waited.observe(event.timeout().as_secs_f64());
    }

    fn handle_checkin(&self, event: CheckinEvent) {
        self.used.dec();
        self.idle.inc();
        self.held.observe(event.duration().as_secs_f64());
    }
}

impl HandleError<LoginError> for LoginFailures {
    fn handle_error(&self, error: LoginError) {
        throttled!(
            WARN,
            "a login to the database failed",
            lane = "",
            reason = "login",
            error = %error
        );
    }
}
