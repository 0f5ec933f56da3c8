//! A profile as a mix: its requests in the proportions of their greatest rates, at any rate of all together.

use std::time::Duration;

use anyhow::ensure;

use super::arrivals::ArrivalSpec;
use super::spec::{ClosedSpec, Connections, Profile, ScenarioSpec};

/// Parts of a mix in the closed model, whose weights are whole numbers.
const PARTS: f64 = 10_000.0;

/// The proportions of a profile's requests.
#[derive(Clone, Debug)]
pub struct Mix {
    profile: Profile,
    /// The share of each scenario; they add up to 1.
    shares: Vec<f64>,
}

impl Mix {
    /// The proportions of a profile: of its greatest rates, or of its weights where it is closed.
    ///
    /// # Errors
    /// When some of its rates are a second's and others multiples of a capacity: they have no proportion.
    pub fn of(profile: &Profile) -> anyhow::Result<Mix> {
        let is_closed = profile.closed.is_some();
        let multiples = profile.scenario.iter().filter(|scenario| {
            let mut arrivals = scenario.arrivals.iter();
            arrivals.any(|arrival| arrival.of_capacity.is_some())
        });
        let multiples = multiples.count();
        ensure!(
            multiples == 0 || multiples == profile.scenario.len(),
            "profile `{}` has both rates and multiples `of_capacity`, so its requests have no proportion; \
             name one with either",
            profile.name
        );
        let mut parts = Vec::new();
        for scenario in &profile.scenario {
            parts.push(match is_closed {
                true => f64::from(scenario.weight),
                false => scenario.greatest_rate(Some(1.0))?,
            });
        }
        let all: f64 = parts.iter().sum();
        ensure!(all > 0.0, "profile `{}` sends nothing", profile.name);
        let mut profile = profile.clone();
        profile.capacity = None;
        profile.closed = None;
        Ok(Mix {
            profile,
            shares: parts.into_iter().map(|part| part / all).collect(),
        })
    }

    /// The profile that the proportions are of.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The mix in the open model: random arrivals, `rate` a second in all, of which those before `warmup` are not
    /// measured, and those of `length` after it are.
    pub fn open(&self, rate: f64, warmup: Duration, length: Duration) -> Profile {
        let mut profile = self.profile.clone();
        profile.warmup = warmup;
        for (scenario, share) in profile.scenario.iter_mut().zip(&self.shares) {
            scenario.arrivals = vec![ArrivalSpec {
                rate: Some(rate * share),
                length: warmup + length,
                randomised: true,
                ..ArrivalSpec::default()
            }];
        }
        profile
    }

    /// The mix in the closed model, over this many connections.
    pub fn closed(&self, connections: usize, length: Duration) -> Profile {
        let mut profile = self.profile.clone();
        profile.warmup = Duration::ZERO;
        profile.connections = Connections::Shared;
        profile.closed = Some(ClosedSpec {
            connections,
            length,
        });
        for (scenario, share) in profile.scenario.iter_mut().zip(&self.shares) {
            scenario.arrivals = Vec::new();
            scenario.weight = (share * PARTS).round().max(1.0) as u32;
        }
        profile
    }
}

impl ScenarioSpec {
    /// The greatest rate of its arrivals; `capacity` is what multiples are of.
    ///
    /// # Errors
    /// When a multiple has nothing to be of.
    pub(crate) fn greatest_rate(&self, capacity: Option<f64>) -> anyhow::Result<f64> {
        let mut greatest = 0.0_f64;
        for arrival in &self.arrivals {
            for phase in arrival.phases(capacity)? {
                greatest = greatest.max(phase.from).max(phase.to);
            }
        }
        Ok(greatest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Overrides, compile};
    use crate::target::Target;

    #[test]
    fn any_rate_keeps_the_proportions_of_the_greatest_ones() {
        for (name, shares) in [
            ("steady-200", vec![0.5, 0.25, 0.225, 0.025]),
            (
                "lab",
                vec![1000.0 / 2400.0, 1000.0 / 2400.0, 400.0 / 2400.0],
            ),
            ("peak", vec![0.25, 0.75]),
            ("overload", vec![1.0]),
        ] {
            let mix = Mix::of(&Profile::load(name).expect("built in")).expect(name);
            for (found, wanted) in mix.shares.iter().zip(&shares) {
                assert!((found - wanted).abs() < 1e-9, "{name}: {:?}", mix.shares);
            }
            let target = Target::parse("http://127.0.0.1:1").expect("a URL");
            let second = Duration::from_secs(1);
            let open = mix.open(800.0, second, 2 * second);
            let plan = compile(&open, &target, &Overrides::seeded(1)).expect(name);
            let crate::engine::LoadModel::Open(arrivals) = &plan.load else {
                panic!("{name} is not open");
            };
            assert!(arrivals.len().abs_diff(2400) <= shares.len(), "{name}");
            assert_eq!(plan.measured_seconds(), 2.0);
            compile(&mix.closed(4, second), &target, &Overrides::seeded(1)).expect(name);
        }
    }
}
