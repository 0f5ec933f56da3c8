//! Arrivals as a profile writes them.

use std::time::Duration;

use anyhow::{bail, ensure};
use serde::Deserialize;

use crate::schedule::Phase;

/// One line of a scenario's `arrivals`: a constant `rate`, a ramp `from` .. `to`, `steps`, a spike
/// from `base` to `peak` and back, or a rate as a multiple `of_capacity`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalSpec {
    /// A constant rate per second.
    pub rate: Option<f64>,
    /// A ramp's first rate.
    pub from: Option<f64>,
    /// A ramp's last rate.
    pub to: Option<f64>,
    /// Constant rates one after another, each `for` the whole length.
    pub steps: Option<Vec<f64>>,
    /// The rate before and after a spike.
    pub base: Option<f64>,
    /// The rate of the spike, which takes the middle third.
    pub peak: Option<f64>,
    /// A constant rate as a multiple of the measured capacity.
    pub of_capacity: Option<f64>,
    /// How long.
    #[serde(rename = "for", deserialize_with = "super::duration::read")]
    pub length: Duration,
    /// Random arrivals instead of even ones.
    #[serde(default)]
    pub randomised: bool,
}

impl ArrivalSpec {
    /// The phases that this line means.
    pub fn phases(&self, capacity: Option<f64>) -> anyhow::Result<Vec<Phase>> {
        let constant = |rate: f64, length: Duration| Phase {
            from: rate,
            to: rate,
            length,
            randomised: self.randomised,
        };
        let third = self.length / 3;
        let phases = match self {
            ArrivalSpec {
                rate: Some(rate), ..
            } => vec![constant(*rate, self.length)],
            ArrivalSpec {
                from: Some(from),
                to: Some(to),
                ..
            } => {
                vec![Phase {
                    from: *from,
                    to: *to,
                    ..constant(0.0, self.length)
                }]
            }
            ArrivalSpec {
                steps: Some(steps), ..
            } => steps
                .iter()
                .map(|rate| constant(*rate, self.length))
                .collect(),
            ArrivalSpec {
                base: Some(base),
                peak: Some(peak),
                ..
            } => {
                vec![
                    constant(*base, third),
                    constant(*peak, third),
                    constant(*base, third),
                ]
            }
            ArrivalSpec {
                of_capacity: Some(times),
                ..
            } => match capacity {
                Some(capacity) => vec![constant(times * capacity, self.length)],
                None => bail!("a rate `of_capacity` before the capacity was measured"),
            },
            _ => bail!(
                "arrivals want `rate`, `from` and `to`, `steps`, `base` and `peak`, \
                 or `of_capacity`, each with `for`"
            ),
        };
        ensure!(self.given() <= 1, "arrivals mix kinds: {self:?}");
        for phase in &phases {
            let finite = phase.from.is_finite() && phase.to.is_finite();
            ensure!(
                finite && phase.from >= 0.0 && phase.to >= 0.0,
                "a rate cannot be negative"
            );
            ensure!(
                phase.from + phase.to > 0.0,
                "a phase without arrivals: give a rate above 0"
            );
            ensure!(!phase.length.is_zero(), "`for` must be longer than nothing");
        }
        Ok(phases)
    }

    fn given(&self) -> usize {
        [
            self.rate.is_some(),
            self.from.is_some() || self.to.is_some(),
            self.steps.is_some(),
            self.base.is_some() || self.peak.is_some(),
            self.of_capacity.is_some(),
        ]
        .into_iter()
        .filter(|given| *given)
        .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(text: &str) -> anyhow::Result<Vec<(f64, f64, f64)>> {
        let spec: ArrivalSpec = toml::from_str(text)?;
        let phases = spec.phases(Some(100.0))?;
        Ok(phases
            .iter()
            .map(|p| (p.from, p.to, p.length.as_secs_f64()))
            .collect())
    }

    #[test]
    fn each_kind_becomes_its_phases() {
        let is = |text, phases: &[(f64, f64, f64)]| {
            assert_eq!(rates(text).expect("valid"), phases, "{text}");
        };
        is("rate=5\nfor='2s'", &[(5.0, 5.0, 2.0)]);
        is("from=1\nto=9\nfor='2s'", &[(1.0, 9.0, 2.0)]);
        is("steps=[1,2]\nfor='2s'", &[(1.0, 1.0, 2.0), (2.0, 2.0, 2.0)]);
        is(
            "base=1\npeak=9\nfor='3s'",
            &[(1.0, 1.0, 1.0), (9.0, 9.0, 1.0), (1.0, 1.0, 1.0)],
        );
        is("of_capacity=3\nfor='1s'", &[(300.0, 300.0, 1.0)]);
    }

    #[test]
    fn contradictions_are_errors() {
        for text in [
            "rate=5\nfrom=1\nto=2\nfor='2s'",
            "from=1\nfor='2s'",
            "rate=-1\nfor='2s'",
            "rate=0\nfor='2s'",
            "rate=1\nfor='0s'",
            "rate=1",
        ] {
            assert!(rates(text).is_err(), "{text}");
        }
    }
}
