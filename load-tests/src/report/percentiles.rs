//! Latency against the share of requests above it: each step to the right is ten times rarer.

use super::axis::Scale;
use super::lines::{Curve, Lines};
use super::panel::Panel;
use super::picture::Picture;
use super::values::show_micros;
use crate::result::RunResult;

/// Points of the curve.
const STEPS: u32 = 240;

pub(super) fn percentiles(result: &RunResult) -> Picture {
    let mut points = Vec::new();
    let count = result.total.latency.map_or(1, |latency| latency.count);
    let rarest = (count.max(2) as f64).log10();
    if let Some(histogram) = result.total.histogram() {
        for step in 0..=STEPS {
            let rarity = rarest * f64::from(step) / f64::from(STEPS);
            // The rarest of all is the greatest, whatever the rounding of the share.
            let quantile = if step == STEPS {
                1.0
            } else {
                1.0 - 10_f64.powf(-rarity)
            };
            points.push((rarity, histogram.value_at_quantile(quantile) as f64));
        }
    }
    let ticks = [
        (0.0, "0 %"),
        (std::f64::consts::LOG10_2, "50 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
        (4.0, "99.99 %"),
        (5.0, "99.999 %"),
        (6.0, "99.9999 %"),
    ];
    let ticks = ticks.into_iter().filter(|(at, _)| *at <= rarest);
    Picture {
        range: (0.0, rarest),
        ticks: ticks.map(|(at, label)| (at, label.to_owned())).collect(),
        label: "share of requests that were at least this quick",
        show: |rarity| format!("{} %", percent_of(rarity)),
        panels: vec![Panel::Lines(Lines {
            title: "All endpoints".to_owned(),
            scale: Scale::Log,
            show: show_micros,
            curves: vec![Curve {
                name: "latency from the intended moment".to_owned(),
                class: "c1",
                points,
            }],
            limits: Vec::new(),
            is_tall: true,
        })],
    }
}

/// The share of requests that are more frequent than one in ten to the power of `rarity`, as a percentage with the
/// digits that tell it from its neighbours.
fn percent_of(rarity: f64) -> String {
    let digits = rarity.ceil() as usize;
    format!("{:.digits$}", 100.0 - 100.0 * 10_f64.powf(-rarity))
}
