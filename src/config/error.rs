//! Validation errors that stop the start, each of which names its variable. A leaf.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// A sentence that stops the start before anything else happens.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A range check that names the variable.
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
