//! What a run leaves behind: JSON, Markdown, HTML, and a few lines on the terminal.

mod bars;
mod charts;
mod figures;
mod html;
mod markdown;

use std::path::{Path, PathBuf};

pub use bars::{Bar, bars};
pub use html::html;
pub use markdown::markdown;

use crate::exit::Exit;
use crate::files::write_whole;
use crate::output::micros;
use crate::result::{Judged, Quantiles, RunResult};

/// Where the files of a result are.
#[derive(Clone, Debug)]
pub struct ReportFiles {
    /// The result itself.
    pub json: PathBuf,
    /// For a pull request.
    pub markdown: PathBuf,
    /// For reading.
    pub html: PathBuf,
}

/// Writes all three into a directory, named by the run.
pub fn write(result: &RunResult, directory: &Path) -> anyhow::Result<ReportFiles> {
    let file = |extension: &str| directory.join(format!("{}.{extension}", result.run));
    let files = ReportFiles {
        json: file("json"),
        markdown: file("md"),
        html: file("html"),
    };
    let json = serde_json::to_string_pretty(result)? + "\n";
    for (path, text) in [
        (&files.json, json),
        (&files.markdown, markdown(result)),
        (&files.html, html(result)),
    ] {
        write_whole(path, &text)?;
    }
    Ok(files)
}

/// The verdict in four lines.
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
        result.setup.profile,
        result.measured_seconds
    )];
    lines.push(format!(
        "answers: {} of {} as prescribed ({}), {} late, {} refused",
        total.succeeded,
        total.scheduled,
        share(total.success),
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
        format!(
            "lost {} of {} (by {}{state})",
            verdict.lost, verdict.acknowledged, verdict.way
        )
    });
    let lost: Vec<String> = lost.collect();
    lines.push(if lost.is_empty() {
        "ledger: not verified".to_owned()
    } else {
        lost.join("; ")
    });
    lines.join("\n")
}

/// What a reader of the terminal needs besides the verdict: why it is not a pass.
pub fn reasons(result: &RunResult) -> Vec<String> {
    let missed = result
        .thresholds
        .iter()
        .filter(|judged| !judged.met)
        .map(|judged| {
            format!(
                "threshold missed: {} (measured {})",
                judged.threshold,
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

/// A measured figure in the unit of its threshold.
fn figure(judged: &Judged) -> String {
    let Some(figure) = judged.figure else {
        return "nothing".to_owned();
    };
    let limit = judged
        .threshold
        .split_whitespace()
        .last()
        .unwrap_or_default();
    if limit.ends_with('%') {
        share(figure)
    } else if limit.parse::<f64>().is_ok() {
        format!("{figure:.0}")
    } else {
        micros(figure as u64)
    }
}

fn quantiles(latency: &Quantiles) -> String {
    format!(
        "p50 {}, p99 {}, p99.9 {}, max {}",
        micros(latency.p50),
        micros(latency.p99),
        micros(latency.p99_9),
        micros(latency.max)
    )
}

/// A share as a percentage that never rounds a failure away.
fn share(share: f64) -> String {
    let percent = share * 100.0;
    if share < 1.0 && percent > 99.99 {
        // Four digits would round one failure in two million away.
        return format!("{:.4} %", percent.min(99.9999));
    }
    if share > 0.0 && percent < 0.01 {
        return format!("{:.4} %", percent.max(0.0001));
    }
    let text = format!("{percent:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_rounds_a_failure_or_a_success_away() {
        for (value, text) in [
            (1.0, "100 %"),
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.99995, "99.9950 %"),
            (1.0 - 1e-8, "99.9999 %"),
            (1e-8, "0.0001 %"),
            (0.00005, "0.0050 %"),
        ] {
            assert_eq!(share(value), text);
        }
    }

    #[test]
    fn a_figure_reads_in_the_unit_of_its_limit() {
        let shown = |threshold: &str, value| {
            figure(&Judged {
                threshold: threshold.to_owned(),
                figure: Some(value),
                met: false,
            })
        };
        assert_eq!(shown("p99 < 50ms", 61_000.0), "61.0 ms");
        assert_eq!(shown("max < 1m", 90e6), "90.00 s");
        assert_eq!(shown("errors == 0%", 1e-7), "0.0001 %");
        assert_eq!(shown("lost == 0", 3.0), "3");
    }
}
