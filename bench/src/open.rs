//! The open model at a constant rate, for latency at a load below the peak.

use std::time::Duration;

use warrior_load::engine::Arrival;
use warrior_load::schedule::{self, Phase};

/// Bounds the time within which due requests leave together, at its start. One by one, each would wake a generator and a
/// server that share the machine; the closed model, of whose peak this is a part, wakes them once for many.
const TOGETHER: Duration = Duration::from_millis(1);

/// A constant rate, what is due within a millisecond at its start; all of the one scenario.
pub(crate) fn arrivals(rate: f64, length: Duration) -> Vec<Arrival> {
    let phase = Phase {
        from: rate,
        to: rate,
        length,
        randomised: false,
    };
    let moments = schedule::arrivals(&[phase], 0);
    let together = TOGETHER.as_nanos() as u64;
    let arrival = |(index, at): (usize, u64)| Arrival {
        at_nanos: at - at % together,
        scenario: 0,
        index: index as u32,
    };
    moments.into_iter().enumerate().map(arrival).collect()
}
