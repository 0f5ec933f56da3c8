//! Metrics whose values are there only at the scrape.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Writes single metrics, and families of one label.
pub(super) struct Gauges<'r, 'e>(pub(super) &'r mut DescriptorEncoder<'e>);

impl Gauges<'_, '_> {
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let kind = MetricType::Gauge;
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, kind)?)
    }

    /// A gauge for each value of `label`.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, f64)],
    ) -> fmt::Result {
        let kind = MetricType::Gauge;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        values.iter().try_for_each(|(of, value)| {
            ConstGauge::new(*value).encode(family.encode_family(&[(label, *of)])?)
        })
    }

    /// A counter, whose name gets `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let kind = MetricType::Counter;
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, kind)?)
    }

    /// A counter for each value of `label`.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, f64)],
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        values.iter().try_for_each(|(of, value)| {
            ConstCounter::new(*value).encode(family.encode_family(&[(label, *of)])?)
        })
    }
}
