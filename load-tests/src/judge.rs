//! The judgement of a run: whether its figures are valid, and whether its thresholds are met.

use crate::collect::{Collected, sum};
use crate::database::DatabaseFacts;
use crate::engine::{LoadModel, Outcome, Plan, Tally, Unsent};
use crate::exit::{Exit, Interrupted};
use crate::machine::{Machine, Throttling};
use crate::profile::{Metric, Threshold, Unit};
use crate::result::{EndpointResult, Judged, Validity};
use crate::verify::Verdict;

/// Bounds the share of a core that a generator thread may use: above it there is no room to be on time.
const CPU_MAX: f64 = 0.95;

/// A disk that confirms more `fdatasync` a second than this does not reach stable storage.
const FDATASYNC_PLAUSIBLE_MAX: f64 = 50_000.0;

/// Asks whether the generator or the machine was what the run measured.
pub(crate) fn validity(
    plan: &Plan,
    collected: &Collected,
    interrupted: bool,
    throttling: &Throttling,
    machine: &Machine,
    database: Option<&DatabaseFacts>,
) -> Validity {
    let mut validity = Validity::default();
    let total = collected.total();
    let invalid = &mut validity.invalid;
    match &collected.unrecorded {
        Some(why) => invalid.push(why.clone()),
        None if interrupted => invalid.push(Interrupted.to_string()),
        None => {}
    }
    let lateness = total.lateness.value_at_quantile(0.99);
    if matches!(plan.load, LoadModel::Open(_))
        && u128::from(lateness) > plan.lateness_max.as_micros()
    {
        invalid.push(format!(
            "the generator was late: 1 % of the requests began more than {:.1} ms after their \
             moment (limit {:?}); lower the rate or give it a core of its own",
            lateness as f64 / 1000.0,
            plan.lateness_max
        ));
    }
    let saturated = saturated_seconds(plan, collected);
    if saturated * 10 > collected.seconds.len() {
        invalid.push(format!(
            "the generator was the bottleneck: above {:.0} % of its {} core(s) in {saturated} of {} seconds; use more --threads",
            CPU_MAX * 100.0,
            plan.threads,
            collected.seconds.len()
        ));
    }
    let unsent = total.unsent.get(&Unsent::Generator).copied().unwrap_or(0);
    if unsent > 0 {
        invalid.push(format!(
            "{unsent} requests were not sent because the generator was out of descriptors, ports \
             or its connections_max; raise `ulimit -n` or the profile's limit"
        ));
    }
    if total.scheduled == 0 {
        invalid.push("nothing was due after the warm-up".to_owned());
    }
    validity.marks = marks(throttling, machine, database);
    validity
}

/// Compares every threshold with what was measured.
pub(crate) fn thresholds(
    thresholds: &[Threshold],
    plan: &Plan,
    collected: &Collected,
    length_seconds: f64,
    verdicts: &[Verdict],
) -> Vec<Judged> {
    let judge = |threshold: &Threshold| {
        let tally = match &threshold.endpoint {
            None => collected.total(),
            Some(name) => sum(&plan
                .endpoints
                .iter()
                .zip(&collected.tallies)
                .filter(|(endpoint, _)| *endpoint == name)
                .map(|(_, tally)| tally.clone())
                .collect::<Vec<_>>()),
        };
        // An acknowledged write that is not in the ledger may be lost, too.
        let known = |lost: &f64| *lost > 0.0 || collected.unrecorded.is_none();
        let figure = figure(&threshold.metric, &tally, length_seconds, verdicts)
            .filter(|figure| threshold.metric != Metric::Lost || known(figure));
        let met = figure.is_some_and(|figure| threshold.holds(figure));
        Judged {
            threshold: threshold.to_string(),
            unit: threshold.metric.unit(),
            limit: threshold.limit,
            figure,
            met,
        }
    };
    thresholds.iter().map(judge).collect()
}

/// Rows of the report of which nothing was answered as prescribed: whatever the thresholds are, a run with
/// such a row has not passed.
pub(crate) fn useless(endpoints: &[EndpointResult]) -> Vec<Judged> {
    let useless = endpoints
        .iter()
        .filter(|row| row.succeeded == 0 && row.failed() > 0);
    useless
        .map(|row| Judged {
            threshold: format!("{}.success > 0%", row.name),
            unit: Unit::Share,
            limit: 0.0,
            figure: Some(0.0),
            met: false,
        })
        .collect()
}

/// The exit that all judgements together mean. A broken promise is a fact even in an invalid run;
/// thresholds of an invalid run mean nothing.
pub(crate) fn exit(validity: &Validity, judged: &[Judged], verdicts: &[Verdict]) -> Exit {
    if verdicts.iter().any(|verdict| !verdict.holds()) {
        Exit::Lost
    } else if !validity.invalid.is_empty() {
        Exit::Invalid
    } else if judged.iter().any(|judged| !judged.met) {
        Exit::ThresholdMissed
    } else {
        Exit::Passed
    }
}

/// Why a verification proves nothing: there are acknowledged writes that no way could read back.
pub(crate) fn unproven(verdicts: &[Verdict]) -> Option<String> {
    let unproven = verdicts.iter().map(Verdict::unproven).min()?;
    (unproven > 0).then(|| {
        format!(
            "{unproven} acknowledged writes could not be read back, so whether they are lost is \
             not known; `warrior-load verify` the ledger when the server answers again"
        )
    })
}

fn saturated_seconds(plan: &Plan, collected: &Collected) -> usize {
    let limit = CPU_MAX * plan.threads as f64;
    collected
        .seconds
        .iter()
        .filter(|second| second.cpu > limit)
        .count()
}

fn marks(
    throttling: &Throttling,
    machine: &Machine,
    database: Option<&DatabaseFacts>,
) -> Vec<String> {
    let mut marks = throttling_marks(throttling);
    if let Some(rate) = machine
        .fdatasync_per_second
        .filter(|rate| *rate > FDATASYNC_PLAUSIBLE_MAX)
    {
        marks.push(format!(
            "{rate:.0} fdatasync a second is more than any disk confirms: a commit here does not \
             prove durability"
        ));
    }
    if let Some(database) = database {
        for (name, value) in [
            ("fsync", &database.fsync),
            ("synchronous_commit", &database.synchronous_commit),
            ("full_page_writes", &database.full_page_writes),
        ] {
            if value == "off" {
                marks.push(format!(
                    "PostgreSQL runs with {name} = off: a crash loses writes"
                ));
            }
        }
    }
    marks
}

/// What the machine withheld, and how busy it was.
pub(crate) fn throttling_marks(throttling: &Throttling) -> Vec<String> {
    let mut marks = Vec::new();
    if throttling.throttled_ms > 0 {
        marks.push(format!(
            "the cgroup was throttled for {} ms of CPU time",
            throttling.throttled_ms
        ));
    }
    if throttling.steal > 0.01 {
        marks.push(format!(
            "the hypervisor took {:.1} % of the CPU time",
            throttling.steal * 100.0
        ));
    }
    if throttling.busy > 0.95 {
        marks.push(format!(
            "the machine's CPUs were {:.0} % busy",
            throttling.busy * 100.0
        ));
    }
    marks
}

fn figure(metric: &Metric, tally: &Tally, seconds: f64, verdicts: &[Verdict]) -> Option<f64> {
    let ended = tally.ended();
    let share = |part: u64| (ended > 0).then(|| part as f64 / ended as f64);
    let measured = |value: u64, of: u64| (of > 0).then_some(value as f64);
    let latency = &tally.latency;
    match metric {
        Metric::Latency(q) => measured(latency.value_at_quantile(*q), latency.len()),
        Metric::Service(q) => measured(tally.service.value_at_quantile(*q), tally.service.len()),
        Metric::Failed(q) => Some(tally.latency_failed.value_at_quantile(*q) as f64),
        Metric::Max => measured(latency.max(), latency.len()),
        Metric::Mean => (!latency.is_empty()).then(|| latency.mean()),
        Metric::Success => share(tally.succeeded()),
        Metric::Errors => share(tally.failed()),
        Metric::Rate => Some(tally.succeeded() as f64 / seconds),
        Metric::Refused => Some(tally.other(503) as f64),
        Metric::Unknown => {
            let of = |outcome| tally.outcomes.get(&outcome).copied().unwrap_or(0);
            Some((tally.other(504) + of(Outcome::Cut) + of(Outcome::Timeout)) as f64)
        }
        Metric::Late => Some(tally.late as f64),
        Metric::Lost => {
            let lost = verdicts.iter().map(|verdict| verdict.lost).max()?;
            // "None lost" is a figure only where every acknowledged write was read back.
            let known = lost > 0 || unproven(verdicts).is_none();
            known.then_some(lost as f64)
        }
    }
}
