//! For operators: the admin listener, its live page, metrics, figures and logs.

mod admin;
mod binding;
pub mod doctor;
pub mod figures;
mod gauges;
mod health;
mod logs;
mod metrics;
mod page;
mod sampled_metrics;
pub mod source;
mod stage_metrics;
mod text_format;

pub use admin::Admin;
pub use health::ask as ask_health;
pub use logs::{LogGuard, say, start as start_logs};
pub use metrics::{RequestMetrics, register_build};
pub use sampled_metrics::{ProcessMetrics, SampledMetrics};
pub use stage_metrics::StageMetrics;
