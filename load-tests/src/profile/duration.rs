//! Durations as people write them: 30s, 5m, 1ms.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}; want 30s, 5m, 1ms")))
}
