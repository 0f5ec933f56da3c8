//! The text of `/metrics`, in the format of Prometheus or OpenMetrics: the metrics of queues, pools and refusals.

use std::collections::BTreeMap;

use crate::result::MetricKind;

/// The metrics by their names, labels included.
pub(super) type Reading = BTreeMap<String, (MetricKind, f64)>;

/// Gauges whose names hold one of these say how full the server is.
const GAUGES: [&str; 8] = [
    "queue",
    "pool",
    "wait",
    "in_flight",
    "inflight",
    "connection",
    "breaker",
    "workers",
];

/// Counters whose names hold one of these say what it did not do, and why.
const COUNTERS: [&str; 7] = [
    "refus", "reject", "shed", "dropped", "timeout", "failure", "panic",
];

pub(super) fn parse(text: &str) -> Reading {
    let (mut family, mut kind) = ("", None);
    let mut reading = Reading::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, declared) = declared.split_once(' ').unwrap_or((declared, ""));
            family = name;
            kind = match declared {
                "gauge" if holds(name, &GAUGES) => Some(MetricKind::Gauge),
                "counter" if holds(name, &COUNTERS) => Some(MetricKind::Counter),
                _ => None,
            };
            continue;
        }
        // A value stands behind the labels, whose values may hold spaces; a time may follow it.
        let end = line
            .rfind('}')
            .map_or_else(|| line.find(' '), |at| Some(at + 1));
        let (Some(end), Some(kind)) = (end, kind) else {
            continue;
        };
        let (name, rest) = line.split_at(end);
        let bare = name.split('{').next().unwrap_or(name);
        // OpenMetrics declares a counter without the ending that its samples have.
        let belongs = bare == family
            || kind == MetricKind::Counter && bare.strip_suffix("_total") == Some(family);
        let value = rest.split_whitespace().next().map(str::parse::<f64>);
        if let (true, Some(Ok(value))) = (belongs, value)
            && value.is_finite()
        {
            reading.insert(name.to_owned(), (kind, value));
        }
    }
    reading
}

fn holds(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_of_queues_and_counters_of_refusals_are_taken_and_nothing_else() {
        let text = "# HELP queue_depth Jobs.\n# TYPE queue_depth gauge\n\
                    queue_depth{lane=\"create\"} 3\nqueue_depth{lane=\"a } b\"} 0 1700000000\n\
                    # TYPE refused counter\nrefused_total{reason=\"queue_full\"} 9\n\
                    refused_created{reason=\"queue_full\"} 1.7e9\n\
                    # TYPE rejected_total counter\nrejected_total 2\n\
                    # TYPE pool_free gauge\npool_free NaN\n\
                    # TYPE queue_wait_seconds histogram\nqueue_wait_seconds_count 5\n\
                    # TYPE build_info gauge\nbuild_info 1\n# EOF\n";
        let gauge = |value| (MetricKind::Gauge, value);
        let counter = |value| (MetricKind::Counter, value);
        let expected = [
            ("queue_depth{lane=\"a } b\"}", gauge(0.0)),
            ("queue_depth{lane=\"create\"}", gauge(3.0)),
            ("refused_total{reason=\"queue_full\"}", counter(9.0)),
            ("rejected_total", counter(2.0)),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(parse(text), Reading::from(expected));
    }
}
