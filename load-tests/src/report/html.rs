//! A report in one file: no script, no font, no picture from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::charts::{Chart, Scale, Series, second_ticks};
use super::{figure, share};
use crate::judge::Exit;
use crate::live::micros;
use crate::result::{EndpointResult, RunResult, Second, SecondRow};
use crate::run::verdict_word;

/// The colours of lines, in the order of the endpoints.
const CLASSES: [&str; 6] = ["c0", "c1", "c5", "c3", "c6", "c2"];

/// The whole page.
pub fn html(result: &RunResult) -> String {
    let title = format!("{} · {}", result.setup.profile, verdict_word(result.exit));
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                (head(result))
                (endpoint_table(result))
                (charts(result))
                (verification(result))
                (wrong(result))
                (environment(result))
            }
        }
    };
    page.into_string()
}

fn head(result: &RunResult) -> Markup {
    let setup = &result.setup;
    let total = &result.total;
    let state = match result.exit {
        Exit::Passed => "good",
        Exit::Invalid => "doubt",
        _ => "bad",
    };
    let latency = |pick: fn(&crate::result::Quantiles) -> u64| {
        total
            .latency
            .as_ref()
            .map_or("-".to_owned(), |latency| micros(pick(latency)))
    };
    markup! {
        header class=(state) {
            h1 { (verdict_word(result.exit)) span { (setup.profile) " against " (setup.target) } }
            p { (setup.about) }
        }
        @for reason in &result.validity.invalid { p.reason { "INVALID: " (reason) } }
        @for mark in &result.validity.marks { p.reason.mark { "Note: " (mark) } }
        section.figures {
            (big(&share(total.success), "as prescribed"))
            (big(&format!("{:.0}/s", total.rate), "mean rate"))
            (big(&latency(|l| l.p50), "p50"))
            (big(&latency(|l| l.p99), "p99"))
            (big(&latency(|l| l.p99_9), "p99.9"))
            (big(&latency(|l| l.max), "greatest"))
            @if let Some(verdict) = result.verification.last() {
                (big(&format!("{} of {}", verdict.lost, verdict.acknowledged), "acknowledged writes lost"))
            }
        }
        p.note {
            @if setup.model == "open" {
                "Open model: every request was sent at a moment planned before the run, and its \
                 latency counts from that moment. Service time counts from the first byte sent."
            } @else {
                "Closed model: each connection waits for its answer before it sends again. The \
                 rate is a capacity; the latencies say nothing about any given rate."
            }
        }
        @if !result.thresholds.is_empty() {
            table.thresholds {
                tr { th { "threshold" } th.number { "measured" } th {} }
                @for judged in &result.thresholds {
                    tr class=(if judged.held { "held" } else { "missed" }) {
                        td { code { (judged.threshold) } }
                        td.number { (figure(judged)) }
                        td { (if judged.held { "held" } else { "missed" }) }
                    }
                }
            }
        }
    }
}

fn big(figure: &str, label: &str) -> Markup {
    markup! { div { strong { (figure) } small { (label) } } }
}

fn endpoint_table(result: &RunResult) -> Markup {
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    let row = |endpoint: &EndpointResult, class: &str| {
        markup! {
            tr class=(class) {
                td { (endpoint.name) }
                @for count in [endpoint.scheduled, endpoint.sent, endpoint.late, endpoint.refused, endpoint.failed()] {
                    td.number { (count) }
                }
                td.number { (share(endpoint.success)) }
                td.number { (format!("{:.1}", endpoint.rate)) }
                @let l = endpoint.latency;
                @for value in [l.map(|l| l.p50), l.map(|l| l.p90), l.map(|l| l.p99), l.map(|l| l.p99_9), l.map(|l| l.max)] {
                    td.number { (shown(value)) }
                }
                td.number { (shown(endpoint.service.map(|s| s.p50))) }
                td.number { (shown(endpoint.service.map(|s| s.p99))) }
            }
        }
    };
    markup! {
        h2 { "Endpoints" }
        div.wide { table {
            thead {
                tr {
                    th rowspan="2" { "endpoint" }
                    th.group colspan="5" { "requests" }
                    th.number rowspan="2" { "success" }
                    th.number rowspan="2" { "rate/s" }
                    th.group colspan="5" { "latency from the intended moment" }
                    th.group colspan="2" { "service time" }
                }
                tr {
                    @for name in ["scheduled", "sent", "late", "refused", "failed", "p50", "p90", "p99", "p99.9", "max", "p50", "p99"] {
                        th.number { (name) }
                    }
                }
            }
            @for endpoint in &result.endpoints { (row(endpoint, "")) }
            (row(&result.total, "total"))
        } }
        p.note { "Late: begun by the generator more than 1 ms after its moment. Refused: 503. "
            "Failed counts everything that was not the prescribed answer, refusals among it." }
    }
}

fn charts(result: &RunResult) -> Markup {
    let names: Vec<&str> = result
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    markup! {
        h2 { "Latency over time" }
        (legend(&[("p50", "c0"), ("p99", "c1"), ("greatest", "c2")]))
        (PreEscaped(latency_chart(result).svg()))
        h2 { "p99 over time, by endpoint" }
        (legend(&names.iter().copied().zip(CLASSES.into_iter().cycle()).collect::<Vec<_>>()))
        (PreEscaped(endpoint_chart(result).svg()))
        h2 { "Rate and errors" }
        (legend(&[("scheduled", "c4"), ("answered as prescribed", "c0"), ("failed", "bad")]))
        (PreEscaped(rate_chart(result).svg()))
        h2 { "In flight" }
        (legend(&[("requests without an answer, at the end of each second", "c3")]))
        (PreEscaped(in_flight_chart(result).svg()))
        h2 { "Percentiles" }
        (legend(&[("latency from the intended moment, all endpoints", "c1")]))
        (PreEscaped(percentile_chart(result).svg()))
    }
}

fn legend(entries: &[(&str, &str)]) -> Markup {
    markup! { p.legend { @for (name, class) in entries { span class=(class) { (name) } } } }
}

fn over_time<'a>(
    result: &RunResult,
    name: &'a str,
    class: &'a str,
    value: impl Fn(&Second) -> f64,
) -> Series<'a> {
    let points = result
        .series
        .iter()
        .map(|second| (second.second as f64, value(second)));
    Series {
        name,
        class,
        points: points.collect(),
    }
}

/// Seconds in which nothing ended have no latency: a gap is more honest than a zero.
fn measured<'a>(
    result: &RunResult,
    name: &'a str,
    class: &'a str,
    row: impl Fn(&Second) -> &SecondRow,
    value: impl Fn(&SecondRow) -> u64,
) -> Series<'a> {
    let ended = result.series.iter().filter(|second| row(second).max > 0);
    let points = ended.map(|second| (second.second as f64, value(row(second)) as f64));
    Series {
        name,
        class,
        points: points.collect(),
    }
}

fn time_chart<'a>(
    result: &RunResult,
    y_scale: Scale,
    y_show: fn(f64) -> String,
    series: Vec<Series<'a>>,
) -> Chart<'a> {
    let length = result
        .series
        .last()
        .map_or(1.0, |last| last.second as f64)
        .max(1.0);
    Chart {
        y_scale,
        x_range: (0.0, length),
        x_ticks: second_ticks(length),
        x_label: "time since the start",
        y_show,
        series,
    }
}

fn latency_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![
        measured(
            result,
            "greatest",
            "c2",
            |second| &second.total,
            |row| row.max,
        ),
        measured(result, "p99", "c1", |second| &second.total, |row| row.p99),
        measured(result, "p50", "c0", |second| &second.total, |row| row.p50),
    ];
    time_chart(result, Scale::Log, show_micros, series)
}

fn endpoint_chart(result: &RunResult) -> Chart<'_> {
    let series = result
        .endpoints
        .iter()
        .enumerate()
        .map(|(place, endpoint)| {
            let class = CLASSES[place % CLASSES.len()];
            // The rows of a second are in the order of the endpoints.
            measured(
                result,
                &endpoint.name,
                class,
                |second| &second.endpoints[place],
                |row| row.p99,
            )
        });
    time_chart(result, Scale::Log, show_micros, series.collect())
}

fn rate_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![
        over_time(result, "scheduled", "c4", |second| {
            second.total.scheduled as f64
        }),
        over_time(result, "answered as prescribed", "c0", |s| {
            s.total.succeeded as f64
        }),
        over_time(result, "failed", "bad", |second| second.total.failed as f64),
    ];
    time_chart(
        result,
        Scale::Linear,
        |value| format!("{value:.0}/s"),
        series,
    )
}

fn in_flight_chart(result: &RunResult) -> Chart<'static> {
    let series = vec![over_time(result, "in flight", "c3", |second| {
        second.in_flight as f64
    })];
    time_chart(result, Scale::Linear, show_count, series)
}

/// Latency against the share of requests above it: each step to the right is ten times rarer.
fn percentile_chart(result: &RunResult) -> Chart<'static> {
    let mut points = Vec::new();
    let count = result
        .total
        .latency
        .map_or(1, |latency| latency.count)
        .max(2) as f64;
    let rarest = count.log10();
    if let Some(histogram) = result.total.histogram() {
        for step in 0..=240 {
            let rarity = rarest * f64::from(step) / 240.0;
            let quantile = 1.0 - 10_f64.powf(-rarity);
            points.push((rarity, histogram.value_at_quantile(quantile) as f64));
        }
    }
    let ticks = [
        (0.0, "0 %"),
        (std::f64::consts::LOG10_2, "50 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
    ]
    .into_iter()
    .chain([(4.0, "99.99 %"), (5.0, "99.999 %"), (6.0, "99.9999 %")])
    .filter(|(at, _)| *at <= rarest)
    .map(|(at, label)| (at, label.to_owned()));
    Chart {
        y_scale: Scale::Log,
        x_range: (0.0, rarest),
        x_ticks: ticks.collect(),
        x_label: "share of requests that were at least this quick",
        y_show: show_micros,
        series: vec![Series {
            name: "latency",
            class: "c1",
            points,
        }],
    }
}

/// Quarters of a small axis are not whole numbers.
fn show_count(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn show_micros(value: f64) -> String {
    match value {
        0.0..1e3 => format!("{value:.0} us"),
        1e3..1e6 => format!("{:.0} ms", value / 1e3),
        _ => format!("{:.0} s", value / 1e6),
    }
}

fn verification(result: &RunResult) -> Markup {
    markup! {
        @if !result.verification.is_empty() {
            h2 { "What the database holds of what was promised" }
            @for verdict in &result.verification { pre { (verdict) } }
        }
    }
}

fn wrong(result: &RunResult) -> Markup {
    let total = &result.total;
    markup! {
        h2 { "Answers" }
        table {
            tr { th { "outcome" } @for endpoint in &result.endpoints { th.number { (endpoint.name) } } th.number { "all" } }
            @for outcome in total.outcomes.keys() {
                tr {
                    td { (outcome) }
                    @for endpoint in result.endpoints.iter().chain([total]) {
                        td.number { (endpoint.outcomes.get(outcome).copied().unwrap_or(0)) }
                    }
                }
            }
            @for (why, count) in &total.unsent { tr.missed { td { "not sent: " (why) } @for _ in &result.endpoints { td {} } td.number { (count) } } }
        }
        @if !result.examples.is_empty() {
            h3 { "Examples of what was not as prescribed" }
            pre { @for example in &result.examples { (example) "\n" } }
        }
    }
}

fn environment(result: &RunResult) -> Markup {
    let (setup, machine, held) = (&result.setup, &result.machine, &result.held);
    let mut rows = vec![
        ("run", result.run.clone()),
        ("started", result.started_at.clone()),
        (
            "generator",
            format!(
                "warrior-load {}, {} thread(s) at priority {}, {:.1} us of CPU per request",
                setup.generator,
                setup.threads,
                result.generator_nice,
                result.generator_cpu_us_per_request
            ),
        ),
        (
            "begun late by (p50, p99, max)",
            result.total.lateness.map_or("-".to_owned(), |late| {
                format!(
                    "{}, {}, {}",
                    micros(late.p50),
                    micros(late.p99),
                    micros(late.max)
                )
            }),
        ),
        ("seed, speed", format!("{}, {}", setup.seed, setup.speed)),
        ("profile digest", setup.profile_digest.clone()),
        (
            "machine",
            format!(
                "{}: {} CPUs ({}), {} MiB, Linux {}",
                machine.host, machine.cpus, machine.cpu_model, machine.memory_mib, machine.kernel
            ),
        ),
        (
            "held back",
            format!(
                "throttled {} ms, stolen {}, busy {}",
                held.throttled_ms,
                share(held.steal),
                share(held.busy)
            ),
        ),
        (
            "fdatasync",
            machine
                .fdatasync_per_second
                .map_or("not measured".to_owned(), |rate| {
                    format!("{rate:.0} a second (pg_test_fsync)")
                }),
        ),
    ];
    if let Some(database) = &result.database {
        rows.push((
            "PostgreSQL",
            format!(
                "{}; fsync {}, synchronous_commit {}, full_page_writes {}; settings {}",
                database.version,
                database.fsync,
                database.synchronous_commit,
                database.full_page_writes,
                database.settings_digest.as_deref().unwrap_or("-")
            ),
        ));
    }
    markup! {
        h2 { "Environment" }
        table.environment {
            @for (name, value) in &rows { tr { th { (name) } td { (value) } } }
            @for (name, value) in &result.server_gauges_max {
                tr { th { "greatest " (name) } td { (value) } }
            }
        }
        h2 { "Profile" }
        pre { (setup.profile_source) }
    }
}
