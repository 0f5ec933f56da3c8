//! Thresholds, conditions like `p99 < 50ms`, `success >= 99.9%`, `create.service.p99 < 5ms`, `lost == 0`.

use std::fmt;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::unit::Unit;

/// A condition on one figure of a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Threshold {
    /// The row it is about; all rows together when absent.
    pub endpoint: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// How it compares.
    pub operator: Operator,
    /// With what, in the unit of the figure.
    pub limit: f64,
    text: String,
}

/// A figure that a threshold can be about.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Latency from the intended moment, at this quantile.
    Latency(f64),
    /// Service time at this quantile.
    Service(f64),
    /// Latency of answers that were not the prescribed ones, and of cut connections, at this quantile; zero without any.
    Failed(f64),
    /// The greatest latency.
    Max,
    /// The mean latency.
    Mean,
    /// The share of requests answered as prescribed.
    Success,
    /// The share that was not.
    Errors,
    /// Requests answered as prescribed per second.
    Rate,
    /// Answers 503 that were not prescribed.
    Refused,
    /// Answers 504 and cut or timed-out requests.
    Unknown,
    /// Requests that the generator began late.
    Late,
    /// Acknowledged writes that are not there.
    Lost,
}

/// How a figure compares with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

impl Metric {
    /// The unit in which the figure is measured and its limit is kept.
    pub fn unit(&self) -> Unit {
        match self {
            Metric::Latency(_)
            | Metric::Service(_)
            | Metric::Failed(_)
            | Metric::Max
            | Metric::Mean => Unit::Microseconds,
            Metric::Success | Metric::Errors => Unit::Share,
            Metric::Rate => Unit::PerSecond,
            Metric::Refused | Metric::Unknown | Metric::Late | Metric::Lost => Unit::Requests,
        }
    }
}

impl Threshold {
    /// Whether the figure meets the condition.
    pub fn holds(&self, figure: f64) -> bool {
        match self.operator {
            Operator::Below => figure < self.limit,
            Operator::AtMost => figure <= self.limit,
            Operator::Above => figure > self.limit,
            Operator::AtLeast => figure >= self.limit,
            Operator::Equal => (figure - self.limit).abs() < f64::EPSILON,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Threshold {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Threshold> {
        // serde shows only the outermost message of a chain.
        Threshold::parse(text).map_err(|error| anyhow::anyhow!("{error:#}"))
    }
}

impl Threshold {
    /// `success >= 99%`: what a run without thresholds must meet.
    pub fn answered() -> Threshold {
        Threshold {
            endpoint: None,
            metric: Metric::Success,
            operator: Operator::AtLeast,
            limit: 0.99,
            text: "success >= 99%".to_owned(),
        }
    }

    fn parse(text: String) -> anyhow::Result<Threshold> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, comparison, limit] = words[..] else {
            bail!("threshold `{text}`: want `figure comparison limit`, as in `p99 < 50ms`");
        };
        let operator = match comparison {
            "<" => Operator::Below,
            "<=" => Operator::AtMost,
            ">" => Operator::Above,
            ">=" => Operator::AtLeast,
            "==" => Operator::Equal,
            other => bail!("threshold `{text}`: `{other}` is none of < <= > >= =="),
        };
        let (endpoint, metric) =
            figure(name).with_context(|| format!("threshold `{text}` is about no known figure"))?;
        let limit =
            limit_of(metric.unit(), limit).with_context(|| format!("threshold `{text}`"))?;
        ensure!(
            limit.is_finite(),
            "threshold `{text}` compares with no number"
        );
        Ok(Threshold {
            endpoint,
            metric,
            operator,
            limit,
            text,
        })
    }
}

/// Splits `row.figure`; rows may themselves hold dots, so the figure is looked for at the end.
fn figure(name: &str) -> anyhow::Result<(Option<String>, Metric)> {
    if let Some(metric) = metric(name) {
        return Ok((None, metric));
    }
    for (at, _) in name.match_indices('.') {
        if let Some(metric) = metric(&name[at + 1..]) {
            return Ok((Some(name[..at].to_owned()), metric));
        }
    }
    bail!(
        "`{name}`: want pNN, service.pNN, failed.pNN, max, mean, success, errors, rate, refused, unknown, \
         late or lost, with `row.` before it or not"
    )
}

fn metric(name: &str) -> Option<Metric> {
    let quantile = |text: &str| {
        let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
        (percent > 0.0 && percent < 100.0).then(|| share_of_one(percent))
    };
    Some(match name {
        "max" => Metric::Max,
        "mean" => Metric::Mean,
        "success" => Metric::Success,
        "errors" => Metric::Errors,
        "rate" => Metric::Rate,
        "refused" => Metric::Refused,
        "unknown" => Metric::Unknown,
        "late" => Metric::Late,
        "lost" => Metric::Lost,
        _ => match name.split_once('.') {
            Some(("service", rest)) => Metric::Service(quantile(rest)?),
            Some(("failed", rest)) => Metric::Failed(quantile(rest)?),
            _ => Metric::Latency(quantile(name)?),
        },
    })
}

/// A percentage as a share, without the last digit's error that 99.9 / 100 has.
fn share_of_one(percent: f64) -> f64 {
    (percent * 1e8).round() / 1e10
}

fn limit_of(unit: Unit, limit: &str) -> anyhow::Result<f64> {
    match unit {
        Unit::Microseconds => {
            let duration = humantime::parse_duration(limit)
                .with_context(|| format!("`{limit}` is not a duration; want 50ms, 1s"))?;
            Ok(duration.as_secs_f64() * 1e6)
        }
        Unit::Share => {
            let percent = limit.strip_suffix('%').with_context(|| {
                format!("`{limit}` is not a share; want a percentage such as 99.9%")
            })?;
            Ok(share_of_one(
                percent.parse().with_context(|| format!("`{limit}`"))?,
            ))
        }
        Unit::PerSecond | Unit::Requests => limit
            .parse()
            .with_context(|| format!("`{limit}` is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_limits_are_read_with_their_units() {
        let read = |text: &str| Threshold::try_from(text.to_owned()).expect(text);
        let p99 = read("p99 < 50ms");
        assert_eq!(
            (p99.metric.clone(), p99.limit),
            (Metric::Latency(0.99), 50_000.0)
        );
        assert!(p99.holds(49_999.0) && !p99.holds(50_000.0));
        assert!(read("success >= 99.9%").holds(0.999));
        assert!(read("lost == 0").holds(0.0) && !read("lost == 0").holds(1.0));
        let service = read("create.service.p99.9 <= 1s");
        assert_eq!(service.endpoint.as_deref(), Some("create"));
        assert_eq!(service.metric, Metric::Service(0.999));
        let refusals = read("create.failed.p99 < 50ms");
        assert_eq!(refusals.endpoint.as_deref(), Some("create"));
        assert_eq!(refusals.metric, Metric::Failed(0.99));
        assert_eq!(read("a.b.max < 1s").endpoint.as_deref(), Some("a.b"));
    }

    #[test]
    fn a_typo_is_an_error() {
        for text in [
            "p100 < 1s",
            "p99 < 50",
            "sucess > 9%",
            "success > 0.9",
            "p99 50ms",
            "lost = 0",
            "rate < inf",
            "success > nan%",
        ] {
            assert!(Threshold::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
