//! Metrics of the connection pool, under OpenTelemetry's names.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use r2d2::event::{AcquireEvent, CheckinEvent, CheckoutEvent, ReleaseEvent};
use r2d2::{HandleError, HandleEvent};

use super::login_error::LoginError;
use crate::histogram::Histogram;
use crate::store::R2d2Figures;
use crate::throttle::throttled;

/// Connections by state, and times of waiting and of use. Counted from events: a registry that held
/// the pool itself could be the last to drop it, on an async thread.
#[derive(Clone, Debug)]
pub struct PoolMetrics {
    size: usize,
    idle: Gauge,
    used: Gauge,
    waited: Histogram,
    held: Histogram,
    created: Histogram,
    timeouts: Counter,
}

/// Logins fail in the background, and are repeated there: with no worker waiting for a connection, this line is
/// the only sign.
#[derive(Debug)]
pub(super) struct LoginFailures;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

impl PoolMetrics {
    pub(super) fn register(registry: &mut Registry, size: usize) -> Self {
        let seconds = || Histogram::of_times(Duration::from_micros(5), 4, 11);
        let count = Family::<State, Gauge>::default();
        let metrics = Self {
            size,
            idle: count.get_or_create_owned(&State { state: "idle" }),
            used: count.get_or_create_owned(&State { state: "used" }),
            waited: seconds(),
            held: seconds(),
            created: seconds(),
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
            metrics.waited.clone(),
        );
        let help = "Time that a worker held its connection";
        registry.register(
            "db_client_connection_use_time_seconds",
            help,
            metrics.held.clone(),
        );
        let help = "Time that a login took";
        registry.register(
            "db_client_connection_create_time_seconds",
            help,
            metrics.created.clone(),
        );
        let help = "Workers that waited for a connection in vain";
        registry.register(
            "db_client_connection_timeouts",
            help,
            metrics.timeouts.clone(),
        );
        metrics
    }

    /// A login has succeeded.
    pub(super) fn created(&self, took: Duration) {
        self.created.observe_time(took);
    }

    /// A worker has waited for a connection in vain.
    pub(super) fn timed_out(&self, waited: Duration) {
        self.timeouts.inc();
        self.waited.observe_time(waited);
    }

    /// The pool in figures.
    pub fn figures(&self) -> R2d2Figures {
        let (waited, held, created) = (
            self.waited.observed(),
            self.held.observed(),
            self.created.observed(),
        );
        let timeouts = self.timeouts.get();
        R2d2Figures {
            max: self.size,
            idle: self.idle.get(),
            used: self.used.get(),
            checkouts: waited.count.saturating_sub(timeouts),
            wait_seconds: waited.sum,
            use_seconds: held.sum,
            timeouts,
            created: created.count,
            create_seconds: created.sum,
        }
    }
}

impl HandleEvent for PoolMetrics {
    fn handle_acquire(&self, _: AcquireEvent) {
        self.idle.inc();
    }

    fn handle_release(&self, _: ReleaseEvent) {
        self.idle.dec();
    }

    fn handle_checkout(&self, event: CheckoutEvent) {
        self.idle.dec();
        self.used.inc();
        self.waited.observe_time(event.duration());
    }

    fn handle_checkin(&self, event: CheckinEvent) {
        self.used.dec();
        self.idle.inc();
        self.held.observe_time(event.duration());
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
