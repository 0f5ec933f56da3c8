//! Profiles: what a run does, as TOML.

mod arrivals;
mod built_in;
mod compile;
mod duration;
mod like;
mod load;
mod spec;
mod threshold;
mod unit;

pub use arrivals::ArrivalSpec;
pub use built_in::{built_in, built_in_names};
pub use compile::{Overrides, compile};
pub use spec::{ClosedSpec, Connections, FollowSpec, Profile, ScenarioSpec};
pub use threshold::{Metric, Operator, Threshold};
pub use unit::Unit;
