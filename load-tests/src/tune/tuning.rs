//! The result of tuning, as JSON. Durations are microseconds unless they say seconds, rates are per second.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explain::{Formula, LaneLoad};
use super::measured::Sample;
use super::noise::is_better;
use super::race::{Ending, Proof};
use super::sizes::{Size, Sizes};
use crate::compare::{geometric_mean, ratio_interval, student_interval};
use crate::exit::Exit;
use crate::machine::{Machine, Throttling};
use crate::verify::Verdict;

/// Everything that is known about the sizes of a stack.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// The id of the search, and the name of its files.
    pub id: String,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// The commit of the work tree that it ran in.
    pub commit: Option<String>,
    /// The stack, for reading.
    pub stack: String,
    /// Whether its server can be sent past PgBouncer.
    pub can_pass_the_pooler: bool,
    /// The profile whose requests were sent.
    pub profile: String,
    /// SHA-256 of its text.
    pub profile_digest: String,
    /// The objective that says where the knee is, condition by condition.
    pub slo: Vec<String>,
    /// Draws everything that is random.
    pub seed: u64,
    /// How long a trial was measured, in seconds.
    pub step_seconds: f64,
    /// How long all took, in seconds, without the verification.
    pub seconds: f64,
    /// How it ended.
    pub exit: Exit,
    /// Why it says nothing; empty when it does.
    pub invalid: Vec<String>,
    /// What a reader should know.
    pub marks: Vec<String>,
    /// The rate at the end of the search.
    pub rate: f64,
    /// The sizes before.
    pub current: Sizes,
    /// The smallest sizes within noise of the best; those before where nothing is better.
    pub chosen: Sizes,
    /// How the search ended.
    pub ending: Ending,
    /// Every step that was proved or refused by pairs.
    pub proofs: Vec<Proof>,
    /// What the search preferred over the sizes before, measured again in fresh pairs at the last rate; it is left where it
    /// is no better there. Nothing where the search preferred nothing.
    pub again: Option<Ratio>,
    /// Chosen sizes past PgBouncer, over those through it; nothing where that was not measured.
    pub past_the_pooler: Option<Ratio>,
    /// The load of each lane with the chosen sizes.
    pub lanes: Vec<LaneLoad>,
    /// What the server waited for with the chosen sizes, by its own account.
    pub bound: Option<String>,
    /// What the usual formulas would say.
    pub formulas: Vec<Formula>,
    /// The change of the configuration files, as `patch` takes it; empty where nothing changes.
    pub diff: String,
    /// The files that were written.
    pub applied: Vec<String>,
    /// The command that gives back what they held; nothing where none was written.
    pub undo: Option<String>,
    /// Every trial, in the order of time.
    pub samples: Vec<Sample>,
    /// The verdict on the ledger of all trials.
    pub verification: Option<Verdict>,
    /// The ledger's file, beside this one.
    pub ledger: Option<String>,
    /// The machine.
    pub machine: Machine,
    /// CPU time that the machine withheld.
    pub throttling: Throttling,
}

/// One p99 over another, from pairs measured one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The geometric mean of what is compared with, in microseconds.
    pub before_us: f64,
    /// That of what is compared.
    pub after_us: f64,
    /// The geometric mean of the ratios.
    pub ratio: f64,
    /// The ends of its 95 % interval.
    pub interval: (f64, f64),
    /// How many pairs.
    pub pairs: usize,
}

impl Ratio {
    /// Whether what is compared is proved to be better, as a move of the search is.
    pub(super) fn is_proof(&self) -> bool {
        is_better(self.ratio, self.interval)
    }

    /// Of pairs of costs, before and after; none without two of them.
    pub(super) fn of(pairs: &[(f64, f64)]) -> Option<Ratio> {
        let logs: Vec<f64> = pairs.iter().map(|(a, b)| (b / a).ln()).collect();
        let (ratio, interval) = ratio_interval(&logs)?;
        Some(Ratio {
            before_us: geometric_mean(pairs.iter().map(|pair| pair.0)),
            after_us: geometric_mean(pairs.iter().map(|pair| pair.1)),
            ratio,
            interval,
            pairs: pairs.len(),
        })
    }
}

/// A configuration on a curve: its value of the size that varies, and the p99 of its trials in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The size's value.
    pub value: u32,
    /// The geometric mean.
    pub mean_us: f64,
    /// The ends of its 95 % interval; the least and the greatest where there are too few for one.
    pub interval: (f64, f64),
    /// How many trials.
    pub trials: usize,
}

impl Tuning {
    /// The curve of a size around a configuration: trials that differ from it in this size alone, at the rate at which most were
    /// measured of those at which it was, too.
    /// A pool that only made room for the workers is no difference.
    pub fn curve(&self, around: &Sizes, size: Size) -> Vec<CurvePoint> {
        let is_near = |trial: f64, rate: f64| (trial / rate - 1.0).abs() < 0.01;
        let trials = |rate: f64| {
            let near = self
                .samples
                .iter()
                .filter(|sample| is_near(sample.trial.rate, rate));
            near.count()
        };
        let rates = self.samples.iter().filter(|sample| sample.sizes == *around);
        let rates = rates.map(|sample| sample.trial.rate);
        let Some(rate) = rates.max_by_key(|rate| trials(*rate)) else {
            return Vec::new();
        };
        let is_on = |sizes: &Sizes| {
            let changes = sizes.changes_from(around).into_iter();
            let mut others = changes.filter(|change| *change != size);
            sizes.pooler > 0
                && others
                    .all(|change| change == Size::Pooler && sizes.pooler == sizes.connections())
        };
        let mut values: std::collections::BTreeMap<u32, Vec<f64>> = Default::default();
        for sample in &self.samples {
            if let (true, Some(p99)) = (
                is_on(&sample.sizes) && is_near(sample.trial.rate, rate),
                sample.trial.p99_us,
            ) {
                let of = values.entry(sample.sizes.get(size)).or_default();
                of.push((p99 as f64).max(1.0).ln());
            }
        }
        values
            .into_iter()
            .map(|(value, logs)| point(value, &logs))
            .collect()
    }
}

fn point(value: u32, logs: &[f64]) -> CurvePoint {
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = match student_interval(logs).filter(|_| logs.len() > 2) {
        Some((mean, half)) => (mean - half, mean + half),
        None => (least, most),
    };
    CurvePoint {
        value,
        mean_us: mean.exp(),
        interval: (low.exp(), high.exp()),
        trials: logs.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_no_proof_while_its_interval_reaches_the_other_side() {
        let of = |ratios: &[f64]| {
            let pairs: Vec<_> = ratios
                .iter()
                .map(|ratio| (1000.0, 1000.0 * ratio))
                .collect();
            Ratio::of(&pairs).expect("pairs")
        };
        let lucky = of(&[0.4, 1.2, 0.9, 1.1, 0.6]);
        assert!(lucky.ratio < 0.9 && !lucky.is_proof(), "{lucky:?}");
        let steady = of(&[0.8, 0.82, 0.79, 0.81, 0.8]);
        assert!(steady.is_proof(), "{steady:?}");
        let small = of(&[0.95, 0.951, 0.949, 0.95, 0.95]);
        assert!(small.interval.1 < 1.0 && !small.is_proof(), "{small:?}");
    }
}
