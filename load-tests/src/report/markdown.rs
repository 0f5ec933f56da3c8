//! The Markdown report, short enough for a pull request.

use std::fmt::Write;

use super::values::{code, figure, profile_name, share};
use crate::output::{micros, one_line};
use crate::result::{EndpointResult, RunResult};
use crate::text_table::Column::{Figure, Text};
use crate::text_table::text_table;

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
    let columns = [
        Text("endpoint"),
        Figure("scheduled"),
        Figure("sent"),
        Figure("late"),
        Figure("refused"),
        Figure("success"),
        Figure("rate/s"),
        Figure("p50"),
        Figure("p95"),
        Figure("p99"),
        Figure("p99.9"),
        Figure("max"),
        Figure("service p99"),
    ];
    let endpoints = result.endpoints.iter().chain([&result.total]);
    text.push_str(&text_table(columns, endpoints.map(cells)));
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

fn cells(endpoint: &EndpointResult) -> [String; 13] {
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    let latency = endpoint.latency;
    [
        endpoint.name.clone(),
        endpoint.scheduled.to_string(),
        endpoint.sent.to_string(),
        endpoint.late.to_string(),
        endpoint.refused.to_string(),
        share(endpoint.success),
        format!("{:.1}", endpoint.rate),
        shown(latency.map(|l| l.p50_us)),
        shown(latency.map(|l| l.p95_us)),
        shown(latency.map(|l| l.p99_us)),
        shown(latency.map(|l| l.p99_9_us)),
        shown(latency.map(|l| l.max_us)),
        shown(endpoint.service.map(|s| s.p99_us)),
    ]
}
