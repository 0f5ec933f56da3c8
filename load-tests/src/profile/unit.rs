//! Units of measure, which a figure and the limit of its threshold share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The unit of a figure and of its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A duration, in microseconds.
    Microseconds,
    /// A share of one, which people read as a percentage.
    Share,
    /// Requests a second.
    PerSecond,
    /// A number of requests.
    Requests,
}
