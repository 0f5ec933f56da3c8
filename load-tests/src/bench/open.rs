//! A constant rate in the open model: how long answers take at a load below the peak.

use std::time::Duration;

use crate::engine::Arrival;
use crate::schedule::{self, Phase};

/// Evenly spaced moments, all of the one scenario.
pub(super) fn arrivals(rate: f64, length: Duration) -> Vec<Arrival> {
    let phase = Phase {
        from: rate,
        to: rate,
        length,
        randomised: false,
    };
    let moments = schedule::arrivals(&[phase], 0);
    let arrival = |(index, at)| Arrival {
        at,
        scenario: 0,
        index: index as u32,
    };
    moments.into_iter().enumerate().map(arrival).collect()
}
