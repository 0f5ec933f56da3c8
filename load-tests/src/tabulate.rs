//! A run's counts as the rows of its result.

use crate::collect::{Collected, SecondTally};
use crate::engine::{Plan, Tally};
use crate::result::{EndpointResult, Quantiles, Second, encode};

/// The figures of all endpoints together, and of each.
pub(crate) fn endpoints(
    plan: &Plan,
    collected: &Collected,
) -> (EndpointResult, Vec<EndpointResult>) {
    let seconds = plan.measured_seconds();
    let each = plan
        .endpoints
        .iter()
        .zip(&collected.tallies)
        .map(|(name, tally)| endpoint(name, tally, seconds))
        .collect();
    (endpoint("all", &collected.total(), seconds), each)
}

/// The run second by second.
pub(crate) fn series(collected: &Collected) -> Vec<Second> {
    let seconds = collected.seconds.iter().enumerate();
    seconds
        .map(|(place, counted)| second(place, counted))
        .collect()
}

fn endpoint(name: &str, tally: &Tally, seconds: f64) -> EndpointResult {
    let ended = tally.ended().max(1);
    EndpointResult {
        name: name.to_owned(),
        scheduled: tally.scheduled,
        sent: tally.sent,
        late: tally.late,
        refused: tally.other(503),
        unsent: tally
            .unsent
            .iter()
            .map(|(why, n)| (why.to_string(), *n))
            .collect(),
        outcomes: tally
            .outcomes
            .iter()
            .map(|(what, n)| (what.to_string(), *n))
            .collect(),
        succeeded: tally.succeeded(),
        success: tally.succeeded() as f64 / ended as f64,
        rate: tally.succeeded() as f64 / seconds,
        body_bytes: tally.body_bytes,
        latency: Quantiles::of(&tally.latency),
        latency_failed: Quantiles::of(&tally.latency_failed),
        service: Quantiles::of(&tally.service),
        connect: Quantiles::of(&tally.connect),
        lateness: Quantiles::of(&tally.lateness),
        latency_hdr: encode(&tally.latency),
    }
}

fn second(place: usize, counted: &SecondTally) -> Second {
    Second {
        second: place as u64,
        total: counted.total(),
        endpoints: counted.endpoints(),
        in_flight: counted.in_flight,
        connections: counted.connections,
        generator_cpu: counted.cpu,
        latency_bands: counted.latency_bands(),
    }
}
