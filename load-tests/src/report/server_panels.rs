//! The server's own figures as panels: one for each family of metrics that changed, and the rest as a table.

use std::collections::BTreeMap;

use maud::{Markup, html as markup};

use super::axis::Scale;
use super::lines::{CLASSES, Curve, Lines};
use super::values::{show_count, show_rate};
use crate::result::{MetricKind, ServerMetric};
use crate::server_metrics::MetricName;

/// Most panels, and most lines of one: a server may have hundreds of pools, and the table has all of them.
const PANELS_MAX: usize = 8;
const CURVES_MAX: usize = CLASSES.len();

/// A panel for each family that changed: gauges as they were, counters by what they grew a second.
pub(super) fn server_panels(metrics: &[ServerMetric]) -> Vec<Lines> {
    let mut families: BTreeMap<(bool, String), Vec<&ServerMetric>> = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| changed(metric)) {
        let is_counter = metric.kind == MetricKind::Counter;
        let family = MetricName::parse(&metric.name).family;
        families
            .entry((is_counter, family))
            .or_default()
            .push(metric);
    }
    let families = families.into_iter().take(PANELS_MAX);
    families
        .map(|((is_counter, family), mut members)| {
            members.sort_by(|one, other| greatest(other).total_cmp(&greatest(one)));
            members.truncate(CURVES_MAX);
            Lines {
                title: format!("Server: {family}"),
                scale: Scale::Linear,
                show: if is_counter { show_rate } else { show_count },
                curves: members.iter().zip(CLASSES).map(curve).collect(),
                limits: limit_of(&family, metrics),
                is_tall: false,
            }
        })
        .collect()
}

/// Every figure of the server: what a counter grew by, and the least and the greatest of a gauge.
pub(super) fn server_table(metrics: &[ServerMetric]) -> Markup {
    let of_kind = |kind| metrics.iter().filter(move |metric| metric.kind == kind);
    let grown = || of_kind(MetricKind::Counter).filter(|metric| changed(metric));
    let still = of_kind(MetricKind::Counter).count() - grown().count();
    let spread = |metric: &ServerMetric| {
        if read(metric).next().is_none() {
            return "-".to_owned();
        }
        let (least, greatest) = (show_count(least(metric)), show_count(greatest(metric)));
        if least == greatest {
            greatest
        } else {
            format!("{least} to {greatest}")
        }
    };
    markup! {
        @if !metrics.is_empty() {
            h2 { "What the server said of itself" }
            div.wide { table {
                tr { th { "metric" } th { "of" } th.number { "during the run" } }
                @for metric in of_kind(MetricKind::Gauge) { (row(metric, &spread(metric))) }
                @for metric in grown() { (row(metric, &format!("{} in all", show_count(greatest(metric))))) }
            } }
            @if still > 0 {
                p.note { "Counters of refusals, failures and timeouts that did not move: " (still) "." }
            }
        }
    }
}

fn row(metric: &ServerMetric, value: &str) -> Markup {
    let name = MetricName::parse(&metric.name);
    markup! { tr { td title=(metric.name) { (name.family) } td { (name.of) } td.number { (value) } } }
}

fn curve((metric, class): (&&ServerMetric, &'static str)) -> Curve {
    let points = match metric.kind {
        MetricKind::Gauge => read(metric).collect(),
        MetricKind::Counter => growth(metric),
    };
    let name = MetricName::parse(&metric.name).of;
    Curve {
        name: if name.is_empty() {
            "all".to_owned()
        } else {
            name
        },
        class,
        points,
    }
}

/// What a counter grew by a second; one that was not read for a while grew evenly.
fn growth(metric: &ServerMetric) -> Vec<(f64, f64)> {
    let mut before = (-1.0, 0.0);
    read(metric)
        .map(|(second, value)| {
            let rate = (value - before.1) / (second - before.0);
            before = (second, value);
            (second, rate)
        })
        .collect()
}

fn read(metric: &ServerMetric) -> impl Iterator<Item = (f64, f64)> + '_ {
    let values = metric.values.iter().enumerate();
    values.filter_map(|(second, value)| Some((second as f64, (*value)?)))
}

fn changed(metric: &ServerMetric) -> bool {
    match metric.kind {
        MetricKind::Gauge => least(metric) < greatest(metric),
        MetricKind::Counter => greatest(metric) > 0.0,
    }
}

fn least(metric: &ServerMetric) -> f64 {
    read(metric)
        .map(|(_, value)| value)
        .fold(f64::INFINITY, f64::min)
}

fn greatest(metric: &ServerMetric) -> f64 {
    read(metric).map(|(_, value)| value).fold(0.0, f64::max)
}

/// A gauge `connection max` is the limit of the family `connections`.
fn limit_of(family: &str, metrics: &[ServerMetric]) -> Vec<(f64, String)> {
    let of_family = format!("{} max", family.trim_end_matches('s'));
    let limit = metrics.iter().find(|metric| {
        let name = MetricName::parse(&metric.name);
        name.family == of_family && metric.kind == MetricKind::Gauge
    });
    let limit = limit.map(|metric| (greatest(metric), "at most".to_owned()));
    limit.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, kind: MetricKind, values: &[Option<f64>]) -> ServerMetric {
        ServerMetric {
            name: name.to_owned(),
            kind,
            values: values.to_vec(),
        }
    }

    #[test]
    fn what_changed_has_a_panel_and_all_is_in_the_table() {
        use MetricKind::{Counter, Gauge};
        let metrics = [
            metric(
                "warrior_queue_depth{lane=\"find\"}",
                Gauge,
                &[Some(0.0), None, Some(9.0)],
            ),
            metric(
                "warrior_queue_depth{lane=\"search\"}",
                Gauge,
                &[Some(1.0); 3],
            ),
            metric(
                "db_client_connections{state=\"used\"}",
                Gauge,
                &[Some(0.0), Some(3.0), None],
            ),
            metric("db_client_connection_max", Gauge, &[Some(8.0); 3]),
            metric(
                "warrior_refused_total{reason=\"too_late\"}",
                Counter,
                &[Some(2.0), None, Some(8.0)],
            ),
            metric(
                "warrior_refused_total{reason=\"no_memory\"}",
                Counter,
                &[Some(0.0); 3],
            ),
        ];
        let panels = server_panels(&metrics);
        let titles: Vec<&str> = panels.iter().map(|panel| &*panel.title).collect();
        assert_eq!(
            titles,
            [
                "Server: db client connections",
                "Server: queue depth",
                "Server: refused"
            ]
        );
        assert_eq!(panels[0].limits, [(8.0, "at most".to_owned())]);
        assert_eq!(panels[1].curves[0].points, [(0.0, 0.0), (2.0, 9.0)]);
        assert_eq!(panels[2].curves.len(), 1);
        assert_eq!(panels[2].curves[0].name, "too late");
        assert_eq!(panels[2].curves[0].points, [(0.0, 2.0), (2.0, 3.0)]);
        let table = server_table(&metrics).into_string();
        for part in ["0 to 9", "8 in all", "did not move: 1"] {
            assert!(table.contains(part), "{part} in {table}");
        }
        assert!(server_table(&[]).into_string().is_empty());
    }
}
