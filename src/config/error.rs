//! Refusals of the start, each of which names its variable. A leaf.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// What stops the start before anything else happens.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// `value`, where it lies within its bounds.
pub(super) fn within<T>(name: &str, value: T, range: RangeInclusive<T>) -> Result<T, ConfigError>
where
    T: PartialOrd + Display,
{
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(ConfigError(format!(
        "{name} is {value}; it must be {least} to {most}"
    )))
}
