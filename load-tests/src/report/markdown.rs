//! The Markdown report, short enough for a pull request.

use std::fmt::Write;

use super::values::{code, figure, profile_name, share};
use crate::output::{micros, one_line};
use crate::result::{EndpointResult, RunResult};

/// The summary of a result.
pub fn markdown(result: &RunResult) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write_all(&mut text, result);
    text
}

fn write_all(text: &mut String, result: &RunResult) -> std::fmt::Result {
    let setup = &result.setup;
    writeln!(
        text,
        "## {}: {} ({} model)\n",
        result.exit,
        code(&profile_name(setup)),
        setup.model
    )?;
    for reason in &result.validity.invalid {
        writeln!(text, "**INVALID**: {}\n", one_line(reason))?;
    }
    writeln!(
        text,
        "| endpoint | scheduled | sent | late | refused | success | rate/s | p50 | p95 | p99 | p99.9 | max | service p99 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for endpoint in result.endpoints.iter().chain([&result.total]) {
        write_row(text, endpoint)?;
    }
    writeln!(
        text,
        "\nLatency counts from the intended moment of each request.\n"
    )?;
    for judged in &result.thresholds {
        let mark = if judged.met { "held" } else { "**missed**" };
        writeln!(
            text,
            "- {mark}: {} (measured {})",
            code(&judged.threshold),
            figure(judged)
        )?;
    }
    for verdict in &result.verification {
        writeln!(text, "\n```text\n{verdict}\n```")?;
    }
    for mark in &result.validity.marks {
        writeln!(text, "\n> Note: {}.", one_line(mark))?;
    }
    let machine = &result.machine;
    writeln!(
        text,
        "\n<sub>{} · seed {} · {} CPUs ({}) · kernel {} · generator {} · commit {} · profile {}</sub>",
        result.started_at,
        setup.seed,
        machine.cpus,
        machine.cpu_model,
        machine.kernel,
        setup.generator,
        setup.commit.as_deref().unwrap_or("-"),
        setup.profile_digest.chars().take(12).collect::<String>()
    )
}

fn write_row(text: &mut String, endpoint: &EndpointResult) -> std::fmt::Result {
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    let latency = endpoint.latency;
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {} |",
        cell(&endpoint.name),
        endpoint.scheduled,
        endpoint.sent,
        endpoint.late,
        endpoint.refused,
        share(endpoint.success),
        endpoint.rate,
        shown(latency.map(|l| l.p50_us)),
        shown(latency.map(|l| l.p95_us)),
        shown(latency.map(|l| l.p99_us)),
        shown(latency.map(|l| l.p99_9_us)),
        shown(latency.map(|l| l.max_us)),
        shown(endpoint.service.map(|s| s.p99_us)),
    )
}

/// A text that stays within its cell of a table.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_cell() {
        assert_eq!(cell("a|b\r\nc"), "a\\|b  c");
    }
}
