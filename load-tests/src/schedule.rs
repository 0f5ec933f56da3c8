//! The schedule of the open model: arrivals, computed before the run starts.
//!
//! An open model means that the moment of a request depends on nothing that the server does, so
//! the whole schedule is a pure function of the phases and a seed: the same seed gives the same
//! arrivals to the nanosecond, on any machine.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A stretch of time with a rate that is constant (`from == to`) or changes linearly.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Arrivals per second at the start of the phase.
    pub from: f64,
    /// Arrivals per second at its end.
    pub to: f64,
    /// How long it lasts.
    pub length: Duration,
    /// `false` spaces arrivals evenly; `true` draws them at random (a Poisson process given its
    /// count), so that the number of arrivals is the same either way.
    pub randomised: bool,
}

impl Phase {
    /// The number of arrivals in this phase: the area under its rate, rounded.
    pub fn count(&self) -> u64 {
        self.area().round() as u64
    }

    fn area(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.length.as_secs_f64()
    }

    /// The moment (seconds from the start of the phase) at which `n` arrivals have been due.
    fn moment(&self, n: f64) -> f64 {
        let length = self.length.as_secs_f64();
        let slope = (self.to - self.from) / length;
        if slope.abs() < 1e-9 {
            return n / self.from;
        }
        // The root of `from*t + slope/2*t² = n`, in the form that does not cancel when the
        // slope is small; the discriminant is clamped against rounding at the very end.
        let root = (self.from * self.from + 2.0 * slope * n).max(0.0).sqrt();
        (2.0 * n / (self.from + root)).clamp(0.0, length)
    }
}

/// The arrivals of the phases one after another, in nanoseconds from the start, ascending.
pub fn arrivals(phases: &[Phase], seed: u64) -> Vec<u64> {
    let mut due = Vec::new();
    let mut start = 0.0;
    for (index, phase) in phases.iter().enumerate() {
        let count = phase.count();
        let area = phase.area();
        let first = due.len();
        let mut random = stream(seed, index as u64, 0);
        for n in 0..count {
            let position = if phase.randomised {
                random.random::<f64>() * area
            } else {
                // Spread over the exact area, so that rounding the count cannot push the last
                // arrival out of the phase.
                n as f64 * area / count as f64
            };
            due.push(((start + phase.moment(position)) * 1e9) as u64);
        }
        if phase.randomised {
            due[first..].sort_unstable();
        }
        start += phase.length.as_secs_f64();
    }
    due
}

/// An independent random stream for one thing of a run: the same three numbers, the same stream.
pub fn stream(seed: u64, lane: u64, index: u64) -> Pcg64Mcg {
    // SplitMix64's finaliser over each part, so that neighbouring indices share no bits.
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let high = mix(seed
        .wrapping_add(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(mix(lane.wrapping_add(1))));
    let low = mix(high ^ mix(index.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1)));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_le_bytes());
    bytes[8..].copy_from_slice(&low.to_le_bytes());
    Pcg64Mcg::from_seed(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phase(from: f64, to: f64, seconds: f64, randomised: bool) -> Phase {
        Phase {
            from,
            to,
            length: Duration::from_secs_f64(seconds),
            randomised,
        }
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let due = arrivals(&[phase(4.0, 4.0, 1.0, false)], 7);
        assert_eq!(due, [0, 250_000_000, 500_000_000, 750_000_000]);
    }

    #[test]
    fn a_ramp_has_its_area_and_its_final_rate() {
        let due = arrivals(&[phase(4.0, 1000.0, 300.0, false)], 7);
        assert_eq!(due.len(), 150_600);
        let last_second = due.iter().filter(|at| **at >= 299_000_000_000).count();
        assert!((990..=1000).contains(&last_second), "{last_second}");
        // Half of the time has passed when a quarter of the growth has arrived.
        let first_half = due.iter().filter(|at| **at < 150_000_000_000).count();
        assert_eq!(
            first_half,
            (4.0 * 150.0 + 996.0 / 300.0 * 150.0 * 150.0 / 2.0) as usize
        );
    }

    #[test]
    fn a_ramp_from_nothing_and_to_nothing_are_mirror_images() {
        let up = arrivals(&[phase(0.0, 100.0, 2.0, false)], 7);
        let down = arrivals(&[phase(100.0, 0.0, 2.0, false)], 7);
        assert_eq!((up.len(), down.len()), (100, 100));
        assert!(down.iter().filter(|at| **at < 1_000_000_000).count() == 75);
        assert!(up.iter().filter(|at| **at < 1_000_000_000).count() == 25);
    }

    #[test]
    fn randomised_arrivals_are_a_poisson_process_given_the_count() {
        let due = arrivals(&[phase(1000.0, 1000.0, 60.0, true)], 7);
        assert_eq!(due.len(), 60_000);
        let gaps: Vec<f64> = due
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64)
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let variation = variance.sqrt() / mean;
        assert!(
            (0.97..1.03).contains(&variation),
            "exponential gaps vary by 1, got {variation}"
        );
    }

    proptest! {
        #[test]
        fn schedules_are_complete_ordered_inside_their_phases_and_repeatable(
            rates in prop::collection::vec((0.0..500.0f64, 0.0..500.0f64, 0.01..5.0f64, any::<bool>()), 1..5),
            seed in any::<u64>(),
        ) {
            let phases: Vec<Phase> =
                rates.iter().map(|(from, to, length, random)| phase(*from, *to, *length, *random)).collect();
            let due = arrivals(&phases, seed);
            prop_assert_eq!(due.len() as u64, phases.iter().map(Phase::count).sum::<u64>());
            prop_assert!(due.is_sorted());
            let mut from = 0usize;
            let mut start = 0.0;
            for phase in &phases {
                let until = from + phase.count() as usize;
                let end = start + phase.length.as_secs_f64();
                for at in &due[from..until] {
                    let at = *at as f64 / 1e9;
                    prop_assert!(at >= start - 1e-6 && at <= end + 1e-6, "{} not in {}..{}", at, start, end);
                }
                (from, start) = (until, end);
            }
            prop_assert_eq!(due, arrivals(&phases, seed));
        }
    }
}
