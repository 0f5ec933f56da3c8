//! What happened over the time of a run, in one picture: latency, load, and what the server said of itself.

use super::axis::{Scale, second_ticks};
use super::heat::Heat;
use super::lines::{CLASSES, Curve, Lines};
use super::panel::Panel;
use super::picture::Picture;
use super::server_panels::server_panels;
use super::values::{show_count, show_micros, show_rate};
use crate::profile::{Metric, Threshold};
use crate::result::{RunResult, Second, SecondRow};

/// The curve that has a point wherever anything ended.
const GREATEST: &str = "greatest";

pub(super) fn over_time(result: &RunResult) -> Picture {
    let last = result.series.last();
    let length = last.map_or(1.0, |last| last.second as f64).max(1.0);
    let mut panels = vec![latency(result), Panel::Heat(Heat::of(&result.series))];
    panels.extend((result.endpoints.len() > 1).then(|| endpoints(result)));
    panels.extend([requests(result), in_flight(result)]);
    panels.extend(server_panels(&result.server).into_iter().map(Panel::Lines));
    Picture {
        range: (0.0, length),
        ticks: second_ticks(length),
        label: "time since the start",
        show: |second| format!("second {second:.0}"),
        panels,
    }
}

fn latency(result: &RunResult) -> Panel {
    let curve = |name, class, value| measured(result, (name, class), |second| &second.total, value);
    Panel::Lines(Lines {
        title: "Latency".to_owned(),
        scale: Scale::Log,
        show: show_micros,
        curves: vec![
            curve(GREATEST, "c2", |row| row.max_us),
            curve("p99", "c1", |row| row.p99_us),
            curve("p50", "c0", |row| row.p50_us),
        ],
        limits: limits(result, |threshold| {
            let is_of_all = threshold.endpoint.is_none() || result.endpoints.len() == 1;
            is_of_all && is_of_latency(threshold)
        }),
        is_tall: true,
    })
}

fn endpoints(result: &RunResult) -> Panel {
    let names = result.endpoints.iter().enumerate();
    let curves = names.map(|(place, endpoint)| {
        let named = (&*endpoint.name, CLASSES[place % CLASSES.len()]);
        // The rows of a second are in the order of the endpoints.
        measured(
            result,
            named,
            |second| &second.endpoints[place],
            |row| row.p99_us,
        )
    });
    Panel::Lines(Lines {
        title: "p99 by endpoint".to_owned(),
        scale: Scale::Log,
        show: show_micros,
        curves: curves.collect(),
        limits: limits(result, |threshold| {
            threshold.endpoint.is_some() && is_of_latency(threshold)
        }),
        is_tall: true,
    })
}

fn requests(result: &RunResult) -> Panel {
    let curve = |name, class, value| counted(result, (name, class), value);
    Panel::Lines(Lines {
        title: "Requests".to_owned(),
        scale: Scale::Linear,
        show: show_rate,
        curves: vec![
            curve("scheduled", "c4", |second| second.total.scheduled),
            curve("answered as prescribed", "c0", |second| {
                second.total.succeeded
            }),
            curve("failed", "bad", |second| second.total.failed),
        ],
        limits: limits(result, |threshold| {
            threshold.endpoint.is_none() && matches!(threshold.metric, Metric::Rate)
        }),
        is_tall: true,
    })
}

fn in_flight(result: &RunResult) -> Panel {
    let curve = counted(result, ("requests without an answer", "c3"), |second| {
        second.in_flight
    });
    Panel::Lines(Lines {
        title: "In flight".to_owned(),
        scale: Scale::Linear,
        show: show_count,
        curves: vec![curve],
        limits: Vec::new(),
        is_tall: false,
    })
}

fn counted(
    result: &RunResult,
    (name, class): (&str, &'static str),
    value: fn(&Second) -> u64,
) -> Curve {
    // Counts of a second that the run did not fill would show a plunge that was none.
    let whole = &result.series[..whole_seconds(result)];
    let points = whole
        .iter()
        .map(|second| (second.second as f64, value(second) as f64));
    Curve {
        name: name.to_owned(),
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

/// Seconds in which nothing ended have no latency: a gap is more honest than a zero. The few answers that come after the
/// run's end are no distribution, so that only the greatest of them is shown.
fn measured(
    result: &RunResult,
    (name, class): (&str, &'static str),
    row: impl Fn(&Second) -> &SecondRow,
    value: fn(&SecondRow) -> u64,
) -> Curve {
    let seconds = match name {
        GREATEST => &result.series[..],
        _ => &result.series[..whole_seconds(result)],
    };
    let ended = seconds.iter().filter(|second| row(second).max_us > 0);
    let points = ended.map(|second| (second.second as f64, value(row(second)) as f64));
    Curve {
        name: name.to_owned(),
        class,
        points: points.collect(),
    }
}

/// The limits of the thresholds that are about such a row and such a figure.
fn limits(result: &RunResult, about: impl Fn(&Threshold) -> bool) -> Vec<(f64, String)> {
    let conditions = result.thresholds.iter().filter_map(|judged| {
        let threshold = Threshold::try_from(judged.threshold.clone()).ok()?;
        about(&threshold).then(|| (judged.limit, judged.threshold.clone()))
    });
    conditions.collect()
}

fn is_of_latency(threshold: &Threshold) -> bool {
    matches!(threshold.metric, Metric::Latency(_) | Metric::Max)
}
