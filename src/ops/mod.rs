//! For operators: the admin listener, its live page, metrics, figures and logs.

mod admin;
mod binding;
pub mod figures;
mod health;
mod logs;
mod metrics;
mod page;

pub use admin::Admin;
pub use health::ask as ask_health;
pub use logs::{LogGuard, say, start as start_logs};
pub use metrics::RequestMetrics;
