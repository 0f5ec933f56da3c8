//! One figure of two sides: the ratio of neighbours, its interval, and what that says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::student::{geometric_mean, ratio_interval};

/// The statement that the interval of a ratio allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// B is better, beyond chance and beyond the least difference that counts.
    Better,
    /// B is worse, likewise.
    Worse,
    /// The interval does not exclude that they are alike.
    NoDifferenceShown,
}

/// One figure of A and B.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedFigure {
    /// The name of the figure.
    pub figure: String,
    /// The unit, for reading.
    pub unit: String,
    /// The geometric mean of A.
    pub a: f64,
    /// The geometric mean of B.
    pub b: f64,
    /// The geometric mean of B over A, pair by pair.
    pub ratio: f64,
    /// The ends of its 95 % interval.
    pub interval: (f64, f64),
    /// How many pairs.
    pub pairs: usize,
    /// The statement that the interval allows.
    pub finding: Finding,
}

/// The direction in which a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A rate, for example.
    HigherIsBetter,
    /// A latency, for example.
    LowerIsBetter,
}

impl ComparedFigure {
    /// Compares pairs of `(a, b)`. `least` is the share below which a difference does not count.
    ///
    /// `None` without at least two pairs of positive figures: there is no interval then.
    pub fn of(
        figure: &str,
        unit: &str,
        direction: Direction,
        pairs: &[(f64, f64)],
        least: f64,
    ) -> Option<ComparedFigure> {
        let positive: Vec<(f64, f64)> = pairs
            .iter()
            .copied()
            .filter(|(a, b)| *a > 0.0 && *b > 0.0)
            .collect();
        let logs: Vec<f64> = positive.iter().map(|(a, b)| (b / a).ln()).collect();
        let (ratio, interval) = ratio_interval(&logs)?;
        let (better, worse) = match direction {
            Direction::HigherIsBetter => (interval.0 > 1.0 + least, interval.1 < 1.0 - least),
            Direction::LowerIsBetter => (interval.1 < 1.0 - least, interval.0 > 1.0 + least),
        };
        Some(ComparedFigure {
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            a: geometric_mean(positive.iter().map(|pair| pair.0)),
            b: geometric_mean(positive.iter().map(|pair| pair.1)),
            ratio,
            interval,
            pairs: positive.len(),
            finding: if better {
                Finding::Better
            } else if worse {
                Finding::Worse
            } else {
                Finding::NoDifferenceShown
            },
        })
    }
}

impl Finding {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Finding::Better => "B is better",
            Finding::Worse => "B is worse",
            Finding::NoDifferenceShown => "no difference shown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    use crate::schedule::stream;

    /// Pairs whose noise is shared within a pair, as a machine's noise is.
    fn pairs(ratio: f64, noise: f64, count: u64, seed: u64) -> Vec<(f64, f64)> {
        (0..count)
            .map(|n| {
                let mut random = stream(seed, 0, n);
                let weather = 1000.0 * (1.0 + random.random::<f64>());
                let jitter = 1.0 + noise * (random.random::<f64>() - 0.5);
                (weather, weather * ratio * jitter)
            })
            .collect()
    }

    #[test]
    fn a_real_difference_is_found_through_the_weather() {
        let finding = |direction, ratio| {
            ComparedFigure::of("f", "us", direction, &pairs(ratio, 0.1, 10, 1), 0.02)
                .expect("ten pairs")
                .finding
        };
        assert_eq!(finding(Direction::LowerIsBetter, 1.2), Finding::Worse);
        assert_eq!(finding(Direction::LowerIsBetter, 0.8), Finding::Better);
        assert_eq!(finding(Direction::HigherIsBetter, 1.2), Finding::Better);
        assert_eq!(finding(Direction::HigherIsBetter, 0.8), Finding::Worse);
        assert_eq!(
            finding(Direction::LowerIsBetter, 1.01),
            Finding::NoDifferenceShown
        );
    }

    #[test]
    fn alike_targets_are_rarely_told_apart() {
        let told_apart = (0..1000)
            .filter_map(|seed| {
                ComparedFigure::of(
                    "f",
                    "us",
                    Direction::LowerIsBetter,
                    &pairs(1.0, 0.2, 8, seed),
                    0.0,
                )
            })
            .filter(|row| row.finding != Finding::NoDifferenceShown)
            .count();
        // 5 % by definition; the bound leaves room for chance.
        assert!((25..=80).contains(&told_apart), "{told_apart} of 1000");
    }
}
