//! The readings of a run, as one series for each metric.

use std::collections::BTreeMap;

use super::exposition::Reading;
use crate::result::{MetricKind, ServerMetric};

/// What was read so far.
#[derive(Default)]
pub(super) struct History {
    series: BTreeMap<String, Series>,
    newest: BTreeMap<String, f64>,
    /// Whether a reading succeeded.
    was_read: bool,
    /// Why the newest reading failed.
    failure: Option<String>,
}

struct Series {
    kind: MetricKind,
    /// The newest value, as it was read.
    last: f64,
    /// What a counter has grown by since the first reading.
    grown: f64,
    values: Vec<Option<f64>>,
}

impl History {
    /// Adds a reading: the one before the run, or that of a second.
    pub(super) fn add(&mut self, second: Option<usize>, reading: anyhow::Result<Reading>) {
        let reading = match reading {
            Ok(reading) => reading,
            Err(error) => {
                self.failure = Some(format!("{error:#}"));
                self.newest.clear();
                return;
            }
        };
        self.failure = None;
        let gauges = reading
            .iter()
            .filter(|(_, (kind, _))| *kind == MetricKind::Gauge);
        self.newest = gauges
            .map(|(name, (_, value))| (name.clone(), *value))
            .collect();
        for (name, (kind, value)) in reading {
            let series = self.series.entry(name).or_insert(Series {
                kind,
                // A counter that appears later had counted nothing before.
                last: if self.was_read { 0.0 } else { value },
                grown: 0.0,
                values: Vec::new(),
            });
            series.add(second, value);
        }
        self.was_read = true;
    }

    /// The newest values of the gauges.
    pub(super) fn newest(&self) -> &BTreeMap<String, f64> {
        &self.newest
    }

    /// Why there is no series.
    pub(super) fn silence(&self) -> Option<String> {
        let none = "its /metrics hold none of queues, pools and refusals".to_owned();
        self.series
            .is_empty()
            .then(|| self.failure.clone().unwrap_or(none))
    }

    /// The series over so many seconds.
    pub(super) fn into_metrics(self, seconds: usize) -> Vec<ServerMetric> {
        let metric = |(name, mut series): (String, Series)| {
            series.values.resize(seconds, None);
            ServerMetric {
                name,
                kind: series.kind,
                values: series.values,
            }
        };
        self.series.into_iter().map(metric).collect()
    }
}

impl Series {
    fn add(&mut self, second: Option<usize>, value: f64) {
        // A counter that is smaller than before began again at zero.
        self.grown += if value < self.last {
            value
        } else {
            value - self.last
        };
        self.last = value;
        if let Some(second) = second {
            self.values.resize(self.values.len().max(second + 1), None);
            self.values[second] = Some(match self.kind {
                MetricKind::Gauge => value,
                MetricKind::Counter => self.grown,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(values: &[(&str, MetricKind, f64)]) -> anyhow::Result<Reading> {
        let values = values.iter();
        Ok(values
            .map(|(name, kind, value)| ((*name).to_owned(), (*kind, *value)))
            .collect())
    }

    #[test]
    fn a_counter_is_what_it_has_grown_by_and_a_gauge_what_it_is() {
        use MetricKind::{Counter, Gauge};
        let mut history = History::default();
        history.add(
            None,
            reading(&[("refused", Counter, 100.0), ("depth", Gauge, 7.0)]),
        );
        history.add(
            Some(0),
            reading(&[("refused", Counter, 103.0), ("depth", Gauge, 2.0)]),
        );
        history.add(Some(1), Err(anyhow::anyhow!("gone")));
        assert!(history.newest().is_empty());
        // The server was started again, and has a counter that it had not before.
        let third = [
            ("refused", Counter, 5.0),
            ("depth", Gauge, 1.0),
            ("late", Counter, 4.0),
        ];
        history.add(Some(2), reading(&third));
        assert_eq!(history.newest().len(), 1);
        assert_eq!(history.silence(), None);
        let metrics = history.into_metrics(4);
        let found: Vec<_> = metrics
            .iter()
            .map(|metric| (&*metric.name, &metric.values[..]))
            .collect();
        assert_eq!(
            found,
            [
                ("depth", &[Some(2.0), None, Some(1.0), None][..]),
                ("late", &[None, None, Some(4.0), None]),
                ("refused", &[Some(3.0), None, Some(8.0), None]),
            ]
        );
    }
}
