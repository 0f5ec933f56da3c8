//! Profiles: what a run does, as TOML.

mod arrivals;
mod built_in;
mod check;
mod compile;
mod duration;
mod files;
mod like;
mod load;
mod mix;
mod slo;
mod spec;
mod threshold;
mod unit;
mod withheld;

pub use arrivals::ArrivalSpec;
pub use built_in::{built_in, built_in_names};
pub use compile::{Overrides, compile};
pub use mix::Mix;
pub use slo::parse_slo;
pub use spec::{ClosedSpec, Connections, FollowSpec, Profile, RetrySpec, ScenarioSpec, name_at};
pub use threshold::{Metric, Operator, Threshold};
pub use unit::Unit;
pub use withheld::{split_header, with_secrets};
