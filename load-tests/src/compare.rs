//! Comparing two targets or two configurations: one engine for `compare` and `reproduce`.
//!
//! Figures are compared as ratios of pairs that were measured next to each other in time, because
//! a machine that slows down for a minute then slows both sides. The interval is Student's, over
//! the logarithms of the ratios.

mod reproduce;
mod slices;

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reproduce::{Conclusion, Reproduction, reproduce};
pub use slices::{Side, compare};

/// What the interval of a ratio says.
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
pub struct Row {
    /// Its name.
    pub figure: String,
    /// Its unit, for reading.
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
    /// What that says.
    pub finding: Finding,
}

/// Whether more of a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// As with a rate.
    More,
    /// As with a latency.
    Less,
}

/// A whole comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// The figure that the verdict is about: the one chosen before the run, or `success` when B
    /// clearly answers less.
    pub decides: String,
    /// Differences smaller than this share count as none.
    pub least: f64,
    /// Every figure.
    pub rows: Vec<Row>,
    /// The finding of the figure that decides.
    pub verdict: Finding,
    /// Why the comparison says nothing; empty when it does.
    pub invalid: Vec<String>,
}

impl Row {
    /// Compares pairs of `(a, b)`. `least` is the share below which a difference does not count.
    ///
    /// `None` without at least two pairs of positive figures: there is no interval then.
    pub fn of(
        figure: &str,
        unit: &str,
        good: Good,
        pairs: &[(f64, f64)],
        least: f64,
    ) -> Option<Row> {
        let positive: Vec<(f64, f64)> = pairs
            .iter()
            .copied()
            .filter(|(a, b)| *a > 0.0 && *b > 0.0)
            .collect();
        let logs: Vec<f64> = positive.iter().map(|(a, b)| (b / a).ln()).collect();
        let (mean, half) = student_interval(&logs)?;
        let interval = ((mean - half).exp(), (mean + half).exp());
        let (better, worse) = match good {
            Good::More => (interval.0 > 1.0 + least, interval.1 < 1.0 - least),
            Good::Less => (interval.1 < 1.0 - least, interval.0 > 1.0 + least),
        };
        let geometric = |pick: fn(&(f64, f64)) -> f64| {
            (positive.iter().map(|pair| pick(pair).ln()).sum::<f64>() / positive.len() as f64).exp()
        };
        Some(Row {
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            a: geometric(|pair| pair.0),
            b: geometric(|pair| pair.1),
            ratio: mean.exp(),
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

impl Comparison {
    /// One table, as Markdown that also reads well on a terminal.
    pub fn table(&self) -> String {
        let mut text = format!("A: {}\nB: {}\n\n", self.a, self.b);
        text.push_str(
            "| figure         |          A |          B |  B / A | 95 % interval   | pairs | finding             |\n\
             |----------------|-----------:|-----------:|-------:|----------------:|------:|---------------------|\n",
        );
        for row in &self.rows {
            let interval = format!("{:.3} .. {:.3}", row.interval.0, row.interval.1);
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "| {:<14} | {:>10} | {:>10} | {:>6.3} | {interval:>15} | {:>5} | {:<19} |",
                row.figure,
                show(row.a, &row.unit),
                show(row.b, &row.unit),
                row.ratio,
                row.pairs,
                row.finding.words()
            );
        }
        for reason in &self.invalid {
            let _written = writeln!(text, "\nINVALID: {reason}");
        }
        let _written = if self.invalid.is_empty() {
            writeln!(
                text,
                "\nVerdict on {}: {} (differences under {:.0} % do not count)",
                self.decides,
                self.verdict.words(),
                self.least * 100.0
            )
        } else {
            writeln!(text, "\nNo verdict: an INVALID comparison says nothing")
        };
        text
    }
}

fn show(value: f64, unit: &str) -> String {
    match unit {
        "us" => crate::output::micros(value as u64),
        "%" => format!("{:.2} %", value * 100.0),
        _ => format!("{value:.0} {unit}"),
    }
}

/// The mean and half the width of its 95 % interval.
fn student_interval(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1) as f64 / count as f64).sqrt();
    Some((mean, student_95(count - 1) * error))
}

/// The two-sided 95 % quantile of Student's distribution.
fn student_95(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042,
    ];
    // Between the last entry and infinity it falls from 2.042 to 1.960; the larger is the safer.
    TABLE
        .get(freedom.saturating_sub(1))
        .copied()
        .unwrap_or(2.042)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::stream;
    use rand::RngExt;

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
        let finding = |good, ratio| {
            Row::of("f", "us", good, &pairs(ratio, 0.1, 10, 1), 0.02)
                .expect("ten pairs")
                .finding
        };
        assert_eq!(finding(Good::Less, 1.2), Finding::Worse);
        assert_eq!(finding(Good::Less, 0.8), Finding::Better);
        assert_eq!(finding(Good::More, 1.2), Finding::Better);
        assert_eq!(finding(Good::More, 0.8), Finding::Worse);
        assert_eq!(finding(Good::Less, 1.01), Finding::NoDifferenceShown);
    }

    #[test]
    fn alike_targets_are_rarely_told_apart() {
        let told_apart = (0..1000)
            .filter_map(|seed| Row::of("f", "us", Good::Less, &pairs(1.0, 0.2, 8, seed), 0.0))
            .filter(|row| row.finding != Finding::NoDifferenceShown)
            .count();
        // 5 % by definition; the bound leaves room for chance.
        assert!((25..=80).contains(&told_apart), "{told_apart} of 1000");
    }

    #[test]
    fn the_interval_is_students() {
        let (mean, half) = student_interval(&[1.0, 2.0, 3.0]).expect("three values");
        assert!((mean - 2.0).abs() < 1e-12 && (half - 4.303 / 3f64.sqrt()).abs() < 1e-9);
        assert!(student_interval(&[1.0]).is_none());
    }
}
