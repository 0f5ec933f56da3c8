//! Two targets in turn, slice by slice, within one run.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{Comparison, Finding, Good, Row};
use crate::engine::{Plan, Tally};
use crate::judge;
use crate::machine::{Held, Machine};
use crate::profile::{Overrides, Profile, compile};
use crate::run::{drive, reach};
use crate::target::Target;

/// One of the two.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is, for reading.
    pub label: String,
    /// Where it listens.
    pub target: Target,
    /// What it is asked.
    pub profile: Profile,
    /// A shell command that switches to this configuration before each of its slices.
    pub before: Option<String>,
}

/// A figure: name, unit, whether more is good, and where it stands in a slice.
type Figure = (&'static str, &'static str, Good, fn(&Slice) -> f64);

/// The figures of one slice.
struct Slice {
    rate: f64,
    success: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    service_p50: f64,
}

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
    let mut measured: Vec<(Slice, Slice)> = Vec::new();
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
            println!(
                "pair {:>2} {name}: {:.0}/s, p99 {}",
                pair + 1,
                slice.rate,
                crate::live::micros(slice.p99 as u64)
            );
            invalid.extend(
                reasons
                    .into_iter()
                    .map(|why| format!("pair {} {name}: {why}", pair + 1)),
            );
            slices[side] = Some(slice);
        }
        if stop.load(Ordering::Relaxed) {
            invalid.push("interrupted before its end".to_owned());
            break;
        }
        if let [Some(a), Some(b)] = slices {
            measured.push((a, b));
        }
    }
    let rows = rows(&measured, least);
    let verdict = rows
        .iter()
        .find(|row| row.figure == decides)
        .map(|row| row.finding)
        .with_context(|| {
            let names: Vec<&str> = rows.iter().map(|row| row.figure.as_str()).collect();
            format!(
                "--decide `{decides}` was not measured; there is {}",
                names.join(", ")
            )
        })?;
    let [a, b] = sides.map(|side| side.label.clone());
    // A figure of failures beside a latency of successes would hide which side answered less.
    let verdict = failing(&rows).unwrap_or(verdict);
    Ok(Comparison {
        a,
        b,
        decides: decides.to_owned(),
        least,
        rows,
        verdict,
        invalid,
    })
}

/// Whoever answers clearly less as prescribed is worse, however quick.
fn failing(rows: &[Row]) -> Option<Finding> {
    rows.iter()
        .find(|row| row.figure == "success" && row.finding == Finding::Worse)
        .map(|row| row.finding)
}

fn slice(
    side: &Side,
    overrides: &Overrides,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<(Slice, Vec<String>)> {
    if let Some(command) = &side.before {
        let status = Command::new("sh").args(["-c", command]).status()?;
        ensure!(
            status.success(),
            "`{command}` failed ({status}); it must prepare {}",
            side.label
        );
    }
    reach(&side.target)?;
    let plan = Arc::new(compile(&side.profile, &side.target, overrides)?);
    let collected = drive(&plan, None, stop, |_| {})?;
    let (held, machine) = (Held::default(), Machine::default());
    let validity = judge::validity(&plan, &collected, false, &held, &machine, None);
    Ok((Slice::of(&plan, &collected.total()), validity.invalid))
}

impl Slice {
    fn of(plan: &Plan, total: &Tally) -> Slice {
        let at = |quantile| total.latency.value_at_quantile(quantile) as f64;
        Slice {
            rate: total.succeeded() as f64 / plan.measured_seconds(),
            success: total.succeeded() as f64 / total.ended().max(1) as f64,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            service_p50: total.service.value_at_quantile(0.5) as f64,
        }
    }
}

fn rows(measured: &[(Slice, Slice)], least: f64) -> Vec<Row> {
    let figures: [Figure; 6] = [
        ("rate", "/s", Good::More, |slice| slice.rate),
        ("success", "%", Good::More, |slice| slice.success),
        ("p50", "us", Good::Less, |slice| slice.p50),
        ("p90", "us", Good::Less, |slice| slice.p90),
        ("p99", "us", Good::Less, |slice| slice.p99),
        ("service p50", "us", Good::Less, |slice| slice.service_p50),
    ];
    figures
        .iter()
        .filter_map(|(name, unit, good, pick)| {
            let pairs: Vec<(f64, f64)> = measured.iter().map(|(a, b)| (pick(a), pick(b))).collect();
            Row::of(name, unit, *good, &pairs, least)
        })
        .collect()
}

/// A profile cut to slices: its rate at its greatest, for this long.
pub(crate) fn for_slices(profile: &Profile, length: Duration) -> anyhow::Result<Profile> {
    let mut cut = profile.clone();
    if let Some(closed) = &mut cut.closed {
        closed.length = length;
        return Ok(cut);
    }
    for scenario in &mut cut.scenario {
        let mut greatest = 0.0_f64;
        for arrival in &scenario.arrivals {
            for phase in arrival.phases(Some(1.0))? {
                greatest = greatest.max(phase.from).max(phase.to);
            }
        }
        scenario.arrivals = vec![crate::profile::ArrivalSpec {
            rate: Some(greatest),
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
        url: &str,
        profile: &Profile,
        length: Duration,
        before: Option<String>,
    ) -> anyhow::Result<Side> {
        let target = Target::parse(url)?;
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
