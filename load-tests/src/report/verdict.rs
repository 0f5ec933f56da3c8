//! The verdict for the terminal, and the reasons for it.

use super::values::{figure, profile_name, share};
use crate::exit::Exit;
use crate::output::{micros, one_line};
use crate::profile::Unit;
use crate::result::{Quantiles, RunResult};

/// The verdict in a few lines.
pub fn verdict_lines(result: &RunResult) -> String {
    let total = &result.total;
    let mut lines = vec![format!(
        "{}: {} of profile {}, {:.0} s",
        result.exit,
        if result.exit == Exit::Passed {
            "every threshold"
        } else {
            "a run"
        },
        profile_name(&result.setup),
        result.measured_seconds
    )];
    lines.push(format!(
        "answers: {} of {} as prescribed ({}), {:.1}/s, {} late, {} refused",
        total.succeeded,
        total.scheduled,
        share(total.success),
        total.rate,
        total.late,
        total.refused
    ));
    lines.push(match total.latency {
        Some(latency) => format!("latency from the intended moment: {}", quantiles(&latency)),
        None => "latency: nothing was measured".to_owned(),
    });
    let lost = result.verification.iter().map(|verdict| {
        let state = if verdict.holds() {
            ""
        } else {
            ", PROMISE BROKEN"
        };
        format!("{} (by {}{state})", verdict.headline(), verdict.way)
    });
    let lost: Vec<String> = lost.collect();
    lines.extend(match (lost.is_empty(), &result.ledger) {
        (false, _) => Some(lost.join("; ")),
        (true, Some(_)) => Some("ledger: not verified".to_owned()),
        (true, None) => None,
    });
    lines.join("\n")
}

/// The reasons for the terminal, besides the verdict: why a run is not a pass.
pub fn reasons(result: &RunResult) -> Vec<String> {
    let missed = result
        .thresholds
        .iter()
        .filter(|judged| !judged.met)
        .map(|judged| {
            format!(
                "threshold missed: {} (measured {})",
                one_line(&judged.threshold),
                figure(judged)
            )
        });
    let nothing = (result.total.succeeded == 0).then(|| {
        let first = result.examples.first();
        let first = first.map_or(String::new(), |example| format!("; the first: {example}"));
        format!("nothing worked: not one answer was as prescribed{first}")
    });
    let broken = result
        .verification
        .iter()
        .filter(|verdict| !verdict.holds());
    let broken = broken.flat_map(|verdict| {
        let count = (verdict.count_agrees() == Some(false))
            .then(|| format!("by {}: the API's count and the table's differ", verdict.way));
        let findings = verdict.findings.iter().take(3);
        findings
            .map(|finding| format!("by {}: {finding}", verdict.way))
            .chain(count)
    });
    let invalid = result
        .validity
        .invalid
        .iter()
        .map(|reason| format!("INVALID: {reason}"));
    let marks = result
        .validity
        .marks
        .iter()
        .map(|mark| format!("note: {mark}"));
    let judged = invalid.chain(nothing).chain(missed);
    broken.chain(judged).chain(marks).collect()
}

/// A sentence for a run that missed nothing but limits of time: every answer was right, and no acknowledged write is
/// lost.
pub fn only_too_slow(result: &RunResult) -> Option<String> {
    let mut missed = result.thresholds.iter().filter(|judged| !judged.met);
    let is_slow = missed.all(|judged| judged.unit == Unit::Microseconds && judged.figure.is_some());
    let total = &result.total;
    let right = result.exit == Exit::ThresholdMissed && is_slow && total.failed() == 0;
    let lost = result.verification.last().filter(|_| right)?.headline();
    Some(format!(
        "only speed was missed: all {} answers were as prescribed, and {lost}",
        total.succeeded
    ))
}

fn quantiles(latency: &Quantiles) -> String {
    format!(
        "p50 {}, p95 {}, p99 {}, p99.9 {}, max {}",
        micros(latency.p50_us),
        micros(latency.p95_us),
        micros(latency.p99_us),
        micros(latency.p99_9_us),
        micros(latency.max_us)
    )
}
