//! Interleaved slices: two targets in turn within one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::comparison::{Comparison, Slice};
use super::finding::{ComparedFigure, Direction, Finding};
use super::student::student_interval;
use crate::drive::drive;
use crate::engine::{Plan, Tally};
use crate::exit::Interrupted;
use crate::judge;
use crate::machine::{Machine, Throttling};
use crate::output::say;
use crate::profile::{Overrides, Profile, compile};
use crate::shell::{COMMAND_TIMEOUT, run_shell};
use crate::target::Target;

/// A success share may be lower by this much before it makes a side worse.
const SUCCESS_TOLERANCE: f64 = 0.001;

/// One of the two.
#[derive(Clone, Debug)]
pub struct Side {
    /// The label of the side.
    pub label: String,
    /// Where it listens.
    pub target: Target,
    /// The profile of its requests.
    pub profile: Profile,
    /// A shell command that switches to this configuration before each of its slices.
    pub before: Option<String>,
}

/// A figure: name, unit, direction, and where it stands in a slice.
pub type SliceFigure = (&'static str, &'static str, Direction, fn(&Slice) -> f64);

/// The figures that are compared.
pub const FIGURES: [SliceFigure; 6] = [
    ("rate", "/s", Direction::HigherIsBetter, |slice| slice.rate),
    ("success", "%", Direction::HigherIsBetter, |slice| {
        slice.success
    }),
    ("p50", "us", Direction::LowerIsBetter, |slice| slice.p50_us),
    ("p90", "us", Direction::LowerIsBetter, |slice| slice.p90_us),
    ("p99", "us", Direction::LowerIsBetter, |slice| slice.p99_us),
    ("service p50", "us", Direction::LowerIsBetter, |slice| {
        slice.service_p50_us
    }),
];

/// Alternates A and B for `pairs` pairs of slices (A B, B A, A B, ...: a drift then favours
/// neither) and compares what was measured.
pub fn compare(
    sides: [&Side; 2],
    overrides: &Overrides,
    pairs: usize,
    (decides, least): (&str, f64),
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Comparison> {
    ensure!(
        pairs >= 3,
        "--pairs must be at least 3: fewer give no interval worth reading"
    );
    ensure!(
        FIGURES.iter().any(|(name, ..)| *name == decides),
        "--decide `{decides}`: want one of {}",
        FIGURES.map(|(name, ..)| name).join(", ")
    );
    let mut measured: Vec<[Slice; 2]> = Vec::new();
    let mut invalid = Vec::new();
    for pair in 0..pairs {
        // The same seed on both sides: they are asked the same things at the same moments.
        let overrides = Overrides {
            seed: overrides.seed.wrapping_add(pair as u64 * 1000),
            ..overrides.clone()
        };
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut slices: [Option<Slice>; 2] = [None, None];
        for side in order {
            let (slice, reasons) = slice(sides[side], &overrides, stop)?;
            let name = if side == 0 { "A" } else { "B" };
            say(format_args!(
                "pair {:>2} {name}: {:.0}/s, p99 {}",
                pair + 1,
                slice.rate,
                crate::output::micros(slice.p99_us as u64)
            ));
            invalid.extend(
                reasons
                    .into_iter()
                    .map(|why| format!("pair {} {name}: {why}", pair + 1)),
            );
            slices[side] = Some(slice);
        }
        if stop.load(Ordering::Relaxed) {
            invalid.push(Interrupted.to_string());
            break;
        }
        if let [Some(a), Some(b)] = slices {
            if a.success == 0.0 && b.success == 0.0 {
                invalid.push(format!(
                    "pair {}: neither side answered anything as prescribed, so there is nothing to \
                     compare (A: {}; B: {})",
                    pair + 1,
                    a.outcomes,
                    b.outcomes
                ));
                break;
            }
            measured.push([a, b]);
        }
    }
    let rows = rows(&measured, least);
    let deciding = rows.iter().find(|row| row.figure == decides);
    // A latency of the few answers beside one of many would hide which side answered less.
    let (decides, verdict) = if answers_less(&measured) {
        ("success", Finding::Worse)
    } else {
        let pairs = deciding.map_or(0, |row| row.pairs);
        if pairs < measured.len() {
            invalid.push(format!(
                "{decides} was measured on both sides in only {pairs} of {} pairs: nothing was \
                 answered as prescribed in the others",
                measured.len()
            ));
        }
        let finding = deciding.map_or(Finding::NoDifferenceShown, |row| row.finding);
        (decides, finding)
    };
    let [a, b] = sides.map(|side| side.label.clone());
    Ok(Comparison {
        a,
        b,
        decides: decides.to_owned(),
        least,
        rows,
        verdict,
        pairs: measured,
        invalid,
    })
}

/// Whether B clearly answers less as prescribed than A: it is then worse, however quick. By
/// differences, since a share of nothing has no logarithm and must not drop out.
fn answers_less(measured: &[[Slice; 2]]) -> bool {
    let differences: Vec<f64> = measured
        .iter()
        .map(|[a, b]| b.success - a.success)
        .collect();
    student_interval(&differences).is_some_and(|(mean, half)| mean + half < -SUCCESS_TOLERANCE)
}

fn slice(
    side: &Side,
    overrides: &Overrides,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<(Slice, Vec<String>)> {
    if let Some(command) = &side.before {
        run_shell(command, COMMAND_TIMEOUT)
            .with_context(|| format!("cannot prepare {}", side.label))?;
    }
    let target = side.target.reach()?;
    let plan = Arc::new(compile(&side.profile, &target, overrides)?);
    let collected = drive(&plan, None, stop, |_, _| {})?;
    let (throttling, machine) = (Throttling::default(), Machine::default());
    let validity = judge::validity(&plan, &collected, false, &throttling, &machine, None);
    Ok((slice_of(&plan, &collected.total()), validity.invalid))
}

fn slice_of(plan: &Plan, total: &Tally) -> Slice {
    let at = |quantile| total.latency.value_at_quantile(quantile) as f64;
    Slice {
        rate: total.succeeded() as f64 / plan.measured_seconds(),
        success: total.succeeded() as f64 / total.ended().max(1) as f64,
        p50_us: at(0.5),
        p90_us: at(0.9),
        p99_us: at(0.99),
        service_p50_us: total.service.value_at_quantile(0.5) as f64,
        outcomes: total.outcomes_text(),
    }
}

fn rows(measured: &[[Slice; 2]], least: f64) -> Vec<ComparedFigure> {
    FIGURES
        .iter()
        .filter_map(|(name, unit, direction, pick)| {
            let pairs: Vec<(f64, f64)> = measured.iter().map(|[a, b]| (pick(a), pick(b))).collect();
            ComparedFigure::of(name, unit, *direction, &pairs, least)
        })
        .collect()
}

/// A profile cut to slices: its rate at its greatest, for this long.
pub(crate) fn for_slices(profile: &Profile, length: Duration) -> anyhow::Result<Profile> {
    ensure!(
        profile.capacity.is_none(),
        "profile `{}` sends multiples of a measured capacity, which differs between the sides; \
         give one with rates of its own",
        profile.name
    );
    let mut cut = profile.clone();
    if let Some(closed) = &mut cut.closed {
        closed.length = length;
        return Ok(cut);
    }
    for scenario in &mut cut.scenario {
        scenario.arrivals = vec![crate::profile::ArrivalSpec {
            rate: Some(scenario.greatest_rate(None)?),
            length,
            randomised: true,
            ..Default::default()
        }];
    }
    cut.warmup = Duration::ZERO;
    Ok(cut)
}

impl Side {
    /// A side that is asked a profile's greatest rate in slices of this length.
    pub fn new(
        target: Target,
        profile: &Profile,
        length: Duration,
        before: Option<String>,
    ) -> anyhow::Result<Side> {
        let url = &target.url;
        let label = match &before {
            Some(before) => format!("{url}, {} ({before})", profile.name),
            None => format!("{url}, {}", profile.name),
        };
        Ok(Side {
            label,
            target,
            profile: for_slices(profile, length)?,
            before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(success: f64) -> Slice {
        let latency = if success > 0.0 { 1000.0 } else { 0.0 };
        Slice {
            rate: 100.0 * success,
            success,
            p50_us: latency,
            p90_us: latency,
            p99_us: latency,
            service_p50_us: latency,
            outcomes: String::new(),
        }
    }

    #[test]
    fn a_side_that_answers_nothing_in_some_pairs_is_worse() {
        let against = |successes: &[f64]| {
            let pairs: Vec<[Slice; 2]> = successes
                .iter()
                .map(|success| [slice(1.0), slice(*success)])
                .collect();
            answers_less(&pairs)
        };
        assert!(against(&[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]));
        assert!(against(&[0.0; 4]));
        assert!(against(&[0.99, 0.985, 0.99, 0.988]));
        assert!(!against(&[1.0; 4]));
        assert!(!against(&[1.0, 0.9995, 1.0, 1.0]));
    }

    #[test]
    fn multiples_of_a_capacity_are_no_slices() {
        let overload = Profile::load("overload").expect("built in");
        assert!(for_slices(&overload, Duration::from_secs(1)).is_err());
    }
}
