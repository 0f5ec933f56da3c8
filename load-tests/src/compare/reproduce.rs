//! Reproduction of a stored result: within noise, or what differed.

use super::finding::{ComparedFigure, Direction, Finding};
use crate::result::{RunResult, Second};

type Pick = fn(&[Second]) -> f64;

/// How two results of the same setup compare.
#[derive(Clone, Debug)]
pub struct Reproduction {
    /// Circumstances that changed: versions, digests, machine.
    pub differences: Vec<String>,
    /// The figures, A stored and B new.
    pub rows: Vec<ComparedFigure>,
    /// The conclusion from all figures together.
    pub conclusion: Conclusion,
}

/// Whether a result was reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every figure's interval lies within the tolerance.
    Reproduced,
    /// No figure differs beyond chance and tolerance, but the runs are too short or too noisy to say
    /// that they agree.
    NoDifferenceShown,
    /// A figure differs, or the share of prescribed answers does.
    NotReproduced,
}

/// The parts that both runs are cut into; each is compared with its twin, which was asked the
/// same things at the same moments.
const PARTS: usize = 10;

/// A difference smaller than this share counts as none.
const TOLERANCE: f64 = 0.25;

/// A success share may differ by this much.
const SUCCESS_TOLERANCE: f64 = 0.001;

/// Compares a stored result with a new one of the same setup.
pub fn reproduce(stored: &RunResult, new: &RunResult) -> Reproduction {
    let mut rows = Vec::new();
    for (figure, direction, pick) in figures() {
        let pairs = paired(stored, new, pick);
        rows.extend(ComparedFigure::of(
            figure,
            unit(figure),
            direction,
            &pairs,
            TOLERANCE,
        ));
    }
    let mut differences = differences(stored, new);
    let success_alike = (stored.total.success - new.total.success).abs() <= SUCCESS_TOLERANCE;
    if !success_alike {
        differences.push(format!(
            "answered as prescribed: {:.3} % then, {:.3} % now",
            stored.total.success * 100.0,
            new.total.success * 100.0
        ));
    }
    Reproduction {
        differences,
        conclusion: conclude(&rows, success_alike),
        rows,
    }
}

fn conclude(rows: &[ComparedFigure], success_alike: bool) -> Conclusion {
    let differs = |row: &ComparedFigure| row.finding != Finding::NoDifferenceShown;
    let agrees = |row: &ComparedFigure| {
        row.interval.0 >= 1.0 / (1.0 + TOLERANCE) && row.interval.1 <= 1.0 + TOLERANCE
    };
    if !success_alike || rows.is_empty() || rows.iter().any(differs) {
        Conclusion::NotReproduced
    } else if rows.iter().all(agrees) {
        Conclusion::Reproduced
    } else {
        Conclusion::NoDifferenceShown
    }
}

fn figures() -> [(&'static str, Direction, Pick); 3] {
    [
        ("rate", Direction::HigherIsBetter, |part| {
            part.iter()
                .map(|second| second.total.succeeded as f64)
                .sum::<f64>()
                / part.len() as f64
        }),
        ("p50", Direction::LowerIsBetter, |part| {
            median(part, |second| second.total.p50_us)
        }),
        ("p99", Direction::LowerIsBetter, |part| {
            median(part, |second| second.total.p99_us)
        }),
    ]
}

fn unit(figure: &str) -> &'static str {
    if figure == "rate" { "/s" } else { "us" }
}

/// The median over the seconds of a part, so that one bad second is one vote.
fn median(part: &[Second], pick: fn(&Second) -> u64) -> f64 {
    let mut values: Vec<u64> = part.iter().map(pick).filter(|value| *value > 0).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0) as f64
}

fn paired(stored: &RunResult, new: &RunResult, pick: Pick) -> Vec<(f64, f64)> {
    // The last second of a run is rarely whole.
    let seconds = stored.series.len().min(new.series.len()).saturating_sub(1);
    let part = seconds.div_ceil(PARTS).max(1);
    let parts = |result: &RunResult| -> Vec<f64> {
        result.series[..seconds].chunks(part).map(pick).collect()
    };
    parts(stored).into_iter().zip(parts(new)).collect()
}

fn differences(stored: &RunResult, new: &RunResult) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, then: String, now: String| {
        if then != now {
            found.push(format!("{what}: {then} then, {now} now"));
        }
    };
    let (then, now) = (stored, new);
    compare(
        "generator",
        then.setup.generator.clone(),
        now.setup.generator.clone(),
    );
    let commit = |result: &RunResult| result.setup.commit.clone().unwrap_or("-".to_owned());
    compare("commit", commit(then), commit(now));
    compare(
        "profile",
        then.setup.profile_digest.clone(),
        now.setup.profile_digest.clone(),
    );
    compare(
        "target",
        then.setup.target.clone(),
        now.setup.target.clone(),
    );
    compare(
        "machine",
        then.machine.host.clone(),
        now.machine.host.clone(),
    );
    compare(
        "CPU",
        then.machine.cpu_model.clone(),
        now.machine.cpu_model.clone(),
    );
    compare(
        "CPUs",
        then.machine.cpus.to_string(),
        now.machine.cpus.to_string(),
    );
    compare(
        "kernel",
        then.machine.kernel.clone(),
        now.machine.kernel.clone(),
    );
    let database = |result: &RunResult| {
        result
            .database
            .as_ref()
            .map_or("not asked".to_owned(), |database| {
                let digest = database.settings_digest.as_deref().unwrap_or("-");
                format!("PostgreSQL {} with settings {digest}", database.version)
            })
    };
    compare("database", database(then), database(now));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(low: f64, high: f64, finding: Finding) -> ComparedFigure {
        ComparedFigure {
            figure: "p99".to_owned(),
            unit: "us".to_owned(),
            a: 1.0,
            b: 1.0,
            ratio: 1.0,
            interval: (low, high),
            pairs: 10,
            finding,
        }
    }

    #[test]
    fn a_wide_interval_reproduces_nothing() {
        use Finding::{NoDifferenceShown as Alike, Worse};
        let narrow = row(0.95, 1.05, Alike);
        let wide = row(0.4, 2.5, Alike);
        let conclude = |rows: &[ComparedFigure]| super::conclude(rows, true);
        assert_eq!(
            conclude(std::slice::from_ref(&narrow)),
            Conclusion::Reproduced
        );
        assert_eq!(
            conclude(&[narrow.clone(), wide]),
            Conclusion::NoDifferenceShown
        );
        let worse = row(1.5, 1.6, Worse);
        assert_eq!(
            conclude(&[narrow.clone(), worse]),
            Conclusion::NotReproduced
        );
        assert_eq!(super::conclude(&[narrow], false), Conclusion::NotReproduced);
        assert_eq!(conclude(&[]), Conclusion::NotReproduced);
    }
}
