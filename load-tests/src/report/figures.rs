//! The charts of a run's report.

use super::charts::{Chart, Curve, Scale, second_ticks};
use crate::output::micros;
use crate::profile::{Metric, Threshold};
use crate::result::{RunResult, Second, SecondRow};

/// The colours of lines, in the order of the endpoints.
pub(super) const CLASSES: [&str; 6] = ["c0", "c1", "c5", "c3", "c6", "c2"];

fn over_time<'a>(
    result: &RunResult,
    name: &'a str,
    class: &'a str,
    value: impl Fn(&Second) -> f64,
) -> Curve<'a> {
    // Counts of a second that the run did not fill would show a plunge that was none.
    let whole = &result.series[..whole_seconds(result)];
    let points = whole
        .iter()
        .map(|second| (second.second as f64, value(second)));
    Curve {
        name,
        class,
        points: points.collect(),
    }
}

/// The seconds that the run filled from their beginning to their end.
fn whole_seconds(result: &RunResult) -> usize {
    let (planned, seen) = (result.planned_seconds as usize, result.series.len());
    match planned.min(seen) {
        0 => seen,
        // One that was interrupted ended within its last second.
        _ if seen < planned => (seen - 1).max(1),
        whole => whole,
    }
}

/// Seconds in which nothing ended have no latency: a gap is more honest than a zero.
fn measured<'a>(
    result: &RunResult,
    name: &'a str,
    class: &'a str,
    row: impl Fn(&Second) -> &SecondRow,
    value: impl Fn(&SecondRow) -> u64,
) -> Curve<'a> {
    let ended = result.series.iter().filter(|second| row(second).max_us > 0);
    let points = ended.map(|second| (second.second as f64, value(row(second)) as f64));
    Curve {
        name,
        class,
        points: points.collect(),
    }
}

fn time_chart<'a>(
    result: &RunResult,
    y_scale: Scale,
    y_show: fn(f64) -> String,
    series: Vec<Curve<'a>>,
) -> Chart<'a> {
    let length = result
        .series
        .last()
        .map_or(1.0, |last| last.second as f64)
        .max(1.0);
    Chart {
        y_scale,
        x_range: (0.0, length),
        x_ticks: second_ticks(length),
        x_label: "time since the start",
        x_show: |second| format!("{second:.0} s"),
        y_show,
        series,
        limits: Vec::new(),
    }
}

pub(super) fn latency_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![
        measured(
            result,
            "greatest",
            "c2",
            |second| &second.total,
            |row| row.max_us,
        ),
        measured(
            result,
            "p99",
            "c1",
            |second| &second.total,
            |row| row.p99_us,
        ),
        measured(
            result,
            "p50",
            "c0",
            |second| &second.total,
            |row| row.p50_us,
        ),
    ];
    let chart = time_chart(result, Scale::Log, show_micros, series);
    Chart {
        limits: limits(result, |metric| {
            matches!(metric, Metric::Latency(_) | Metric::Max)
        }),
        ..chart
    }
}

/// The limits of the thresholds on all rows together that are about such a figure.
fn limits(result: &RunResult, about: impl Fn(&Metric) -> bool) -> Vec<(f64, String)> {
    let conditions = result.thresholds.iter().filter_map(|judged| {
        let threshold = Threshold::try_from(judged.threshold.clone()).ok()?;
        let shown = threshold.endpoint.is_none() && about(&threshold.metric);
        shown.then(|| (judged.limit, judged.threshold.clone()))
    });
    conditions.collect()
}

pub(super) fn endpoint_chart(result: &RunResult) -> Chart<'_> {
    let series = result
        .endpoints
        .iter()
        .enumerate()
        .map(|(place, endpoint)| {
            let class = CLASSES[place % CLASSES.len()];
            // The rows of a second are in the order of the endpoints.
            measured(
                result,
                &endpoint.name,
                class,
                |second| &second.endpoints[place],
                |row| row.p99_us,
            )
        });
    time_chart(result, Scale::Log, show_micros, series.collect())
}

pub(super) fn rate_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![
        over_time(result, "scheduled", "c4", |second| {
            second.total.scheduled as f64
        }),
        over_time(result, "answered as prescribed", "c0", |s| {
            s.total.succeeded as f64
        }),
        over_time(result, "failed", "bad", |second| second.total.failed as f64),
    ];
    let show = |value| format!("{value:.0}/s");
    let chart = time_chart(result, Scale::Linear, show, series);
    Chart {
        limits: limits(result, |metric| matches!(metric, Metric::Rate)),
        ..chart
    }
}

pub(super) fn in_flight_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![over_time(result, "in flight", "c3", |second| {
        second.in_flight as f64
    })];
    time_chart(result, Scale::Linear, show_count, series)
}

/// Latency against the share of requests above it: each step to the right is ten times rarer.
pub(super) fn percentile_chart(result: &RunResult) -> Chart<'static> {
    let mut points = Vec::new();
    let count = result
        .total
        .latency
        .map_or(1, |latency| latency.count)
        .max(2) as f64;
    let rarest = count.log10();
    if let Some(histogram) = result.total.histogram() {
        for step in 0..=240 {
            let rarity = rarest * f64::from(step) / 240.0;
            // The rarest of all is the greatest, whatever the rounding of the share.
            let quantile = if step == 240 {
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
    ]
    .into_iter()
    .chain([(4.0, "99.99 %"), (5.0, "99.999 %"), (6.0, "99.9999 %")])
    .filter(|(at, _)| *at <= rarest)
    .map(|(at, label)| (at, label.to_owned()));
    Chart {
        y_scale: Scale::Log,
        x_range: (0.0, rarest),
        x_ticks: ticks.collect(),
        x_label: "share of requests that were at least this quick",
        x_show: |rarity| format!("{} %", percent_of(rarity)),
        y_show: show_micros,
        series: vec![Curve {
            name: "latency",
            class: "c1",
            points,
        }],
        limits: Vec::new(),
    }
}

/// The share of requests that are more frequent than one in ten to the power of `rarity`, as a percentage with the
/// digits that tell it from its neighbours.
fn percent_of(rarity: f64) -> String {
    let digits = rarity.ceil() as usize;
    format!("{:.digits$}", 100.0 - 100.0 * 10_f64.powf(-rarity))
}

/// Quarters of a small axis are not whole numbers.
fn show_count(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

/// Labels of an axis are powers of ten, which `micros` would write with digits; values between have theirs.
fn show_micros(value: f64) -> String {
    match value {
        1e3 | 1e4 | 1e5 => format!("{:.0} ms", value / 1e3),
        1e6 | 1e7 | 1e8 => format!("{:.0} s", value / 1e6),
        _ => micros(value as u64),
    }
}
