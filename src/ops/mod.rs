//! For operators: the admin listener, metrics and logs.

mod admin;
mod logs;
mod metrics;

pub use admin::Admin;
pub use logs::{LogGuard, start as start_logs};
pub use metrics::RequestMetrics;
