//! The HTML report in one file: no script, no font, no picture from elsewhere. Its own script shows values under the
//! pointer; without it nothing else is missing.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::environment::environment;
use super::over_time::over_time;
use super::percentiles::percentiles;
use super::server_panels::server_table;
use super::values::{figure, profile_name, share};
use crate::exit::Exit;
use crate::output::micros;
use crate::result::{EndpointResult, RunResult};

/// The whole page.
pub fn html(result: &RunResult) -> String {
    let title = format!("{} · {}", profile_name(&result.setup), result.exit);
    let body = markup! {
        (head(result))
        (charts(result))
        (endpoint_table(result))
        (verification(result))
        (wrong(result))
        (server_table(&result.server))
        (environment(result))
    };
    page(&title, &body)
}

/// A page with this body.
pub(super) fn page(title: &str, body: &Markup) -> String {
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
                (body)
                script { (PreEscaped(include_str!("report.js"))) }
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
            h1 { (result.exit) span { (profile_name(setup)) " against " (setup.target) } }
            p {
                (setup.about)
                @if setup.speed != 1.0 { " Here every length of time is divided by " (setup.speed) "." }
            }
        }
        @for reason in &result.validity.invalid { p.reason { "INVALID: " (reason) } }
        @for mark in &result.validity.marks { p.reason.mark { "Note: " (mark) } }
        (failures(result))
        section.figures {
            (big(&share(total.success), "as prescribed"))
            (big(&format!("{:.0}/s", total.rate), "mean rate"))
            (big(&latency(|l| l.p50_us), "p50"))
            (big(&latency(|l| l.p99_us), "p99"))
            (big(&latency(|l| l.p99_9_us), "p99.9"))
            (big(&latency(|l| l.max_us), "greatest"))
            @if let Some(verdict) = result.verification.last() {
                @let unread = verdict.unproven();
                (big(&format!("{} of {}", verdict.lost, verdict.acknowledged - unread), "acknowledged writes lost"))
                @if unread > 0 { (big(&unread.to_string(), "acknowledged writes not read back")) }
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
                    tr class=(if judged.met { "held" } else { "missed" }) {
                        td { code { (judged.threshold) } }
                        td.number { (figure(judged)) }
                        td { (if judged.met { "held" } else { "missed" }) }
                    }
                }
            }
        }
    }
}

/// What was not as prescribed, with an example; nothing where all was.
fn failures(result: &RunResult) -> Markup {
    let total = &result.total;
    let sent = total
        .outcomes
        .iter()
        .filter(|(what, _)| !is_prescribed(what));
    let unsent = total.unsent.iter();
    markup! {
        @if total.failed() > 0 {
            section.failures {
                strong { (total.failed()) " of " (total.scheduled) " not as prescribed" }
                ul {
                    @for (what, count) in sent { li { (count) " \u{d7} " (what) } }
                    @for (why, count) in unsent { li { (count) " \u{d7} not sent: " (why) } }
                }
                @if let Some(example) = result.examples.first() { p { "For example: " code { (example) } } }
            }
        }
    }
}

/// Outcomes are named by their status alone where it was prescribed.
fn is_prescribed(outcome: &str) -> bool {
    outcome.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn big(figure: &str, label: &str) -> Markup {
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
                @for value in [l.map(|l| l.p50_us), l.map(|l| l.p90_us), l.map(|l| l.p99_us), l.map(|l| l.p99_9_us), l.map(|l| l.max_us)] {
                    td.number { (shown(value)) }
                }
                td.number { (shown(endpoint.service.map(|s| s.p50_us))) }
                td.number { (shown(endpoint.service.map(|s| s.p99_us))) }
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
    markup! {
        h2 { "Over time" }
        (over_time(result).markup())
        h2 { "Percentiles" }
        (percentiles(result).markup())
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
        div.wide { table {
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
        } }
        @if !result.examples.is_empty() {
            h3 { "Examples of what was not as prescribed" }
            pre { @for example in &result.examples { (example) "\n" } }
        }
    }
}
