//! For operators: the admin listener, metrics and logs.

mod admin;
mod health;
mod logs;
mod metrics;

pub use admin::Admin;
pub use health::ask as ask_health;
pub use logs::{LogGuard, say, start as start_logs};
pub use metrics::RequestMetrics;
