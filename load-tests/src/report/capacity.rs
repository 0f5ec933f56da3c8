//! The report of a capacity: a few lines, Markdown, and the page with its curves.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use maud::{Markup, html as markup};

use super::axis::Scale;
use super::html::{big, page};
use super::lines::{Curve, Lines};
use super::panel::Panel;
use super::picture::Picture;
use super::values::{code, figure, share};
use crate::capacity::{Capacity, CapacityFinding};
use crate::exit::Exit;
use crate::files::write_whole;
use crate::output::{micros, one_line};
use crate::profile::Unit;
use crate::text_table::Column::{Figure, Text};
use crate::text_table::text_table;
use crate::trial::{Standing, Trial};

/// Writes JSON, Markdown and page into a directory; where the page is.
///
/// # Errors
/// When a file cannot be written.
pub fn write_capacity(capacity: &Capacity, directory: &Path) -> anyhow::Result<PathBuf> {
    let file = |extension: &str| directory.join(format!("{}.{extension}", capacity.id));
    let json = serde_json::to_string_pretty(capacity)? + "\n";
    write_whole(&file("json"), &json)?;
    write_whole(&file("md"), &capacity_markdown(capacity))?;
    write_whole(&file("html"), &capacity_page(capacity))?;
    Ok(file("html"))
}

/// The result in a few lines, for a terminal.
pub fn capacity_lines(capacity: &Capacity) -> String {
    let mut lines = vec![format!("{}: {}", capacity.exit, headline(capacity))];
    if let Some(finding) = &capacity.finding {
        lines.extend(broke(finding));
        lines.extend(
            finding
                .bound
                .as_ref()
                .map(|bound| format!("there: {bound}")),
        );
    }
    let verified = capacity.verification.as_ref();
    lines.extend(verified.map(|verdict| format!("{} (by {})", verdict.headline(), verdict.way)));
    lines.extend(capacity.invalid.iter().map(|why| format!("INVALID: {why}")));
    lines.extend(capacity.marks.iter().map(|mark| format!("note: {mark}")));
    lines.join("\n")
}

/// What holds up to which rate.
fn headline(capacity: &Capacity) -> String {
    let slo = one_line(&capacity.slo.join(", "));
    match &capacity.finding {
        Some(finding) => format!(
            "{:.0} requests a second {} hold {slo}",
            finding.rate,
            interval(finding)
        ),
        None => format!("no rate that was tried holds {slo}"),
    }
}

fn interval(finding: &CapacityFinding) -> String {
    let end = |end: Option<f64>, none: &str| end.map_or(none.to_owned(), |end| format!("{end:.0}"));
    let (low, high) = (end(finding.low, "?"), end(finding.high, "?"));
    format!("(every trial held up to {low}, none from {high})")
}

fn broke(finding: &CapacityFinding) -> Option<String> {
    let conditions = finding.broke.iter();
    let texts: Vec<String> = conditions
        .map(|judged| {
            format!(
                "{} (measured {})",
                one_line(&judged.threshold),
                figure(judged)
            )
        })
        .collect();
    (!texts.is_empty()).then(|| format!("broke first above it: {}", texts.join(", ")))
}

/// For a pull request.
pub fn capacity_markdown(capacity: &Capacity) -> String {
    let mut text = format!(
        "## {}: capacity of {}\n\n{}.\n",
        capacity.exit,
        code(&capacity.profile),
        headline(capacity)
    );
    // Writing to a string cannot fail.
    let _written = rest_of_markdown(&mut text, capacity);
    text
}

fn rest_of_markdown(text: &mut String, capacity: &Capacity) -> std::fmt::Result {
    if let Some(finding) = &capacity.finding {
        for line in broke(finding).iter().chain(&finding.bound) {
            writeln!(text, "\n- {line}")?;
        }
    }
    for why in &capacity.invalid {
        writeln!(text, "\n**INVALID**: {}", one_line(why))?;
    }
    let columns = [
        Figure("rate/s"),
        Text("standing"),
        Figure("p50"),
        Figure("p99"),
        Figure("success"),
        Text("outcomes"),
    ];
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    let trials = capacity.trials.iter().map(|trial| {
        [
            format!("{:.0}", trial.rate),
            standing(trial.standing).to_owned(),
            shown(trial.p50_us),
            shown(trial.p99_us),
            share(trial.success),
            trial.outcomes.clone(),
        ]
    });
    write!(text, "\n{}", text_table(columns, trials))?;
    if let Some(verdict) = &capacity.verification {
        writeln!(text, "\n```text\n{verdict}\n```")?;
    }
    for mark in &capacity.marks {
        writeln!(text, "\n> Note: {mark}.")?;
    }
    let machine = &capacity.machine;
    writeln!(
        text,
        "\n<sub>{} · seed {} · {} CPUs ({}) · commit {} · profile {}</sub>",
        capacity.started_at,
        capacity.seed,
        machine.cpus,
        machine.cpu_model,
        capacity.commit.as_deref().unwrap_or("-"),
        capacity.profile_digest.chars().take(12).collect::<String>()
    )
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        Standing::Missed => "missed",
        Standing::Undecided => "undecided: the generator fell behind",
    }
}

/// The whole page.
pub fn capacity_page(capacity: &Capacity) -> String {
    let state = match capacity.exit {
        Exit::Passed => "good",
        Exit::Invalid => "doubt",
        _ => "bad",
    };
    let body = markup! {
        header class=(state) {
            h1 { (capacity.exit) span { "capacity of " (capacity.profile) " against " (capacity.target) } }
            p { (headline(capacity)) "." }
        }
        @for why in &capacity.invalid { p.reason { "INVALID: " (why) } }
        @for mark in &capacity.marks { p.reason.mark { "Note: " (mark) } }
        @if let Some(finding) = &capacity.finding { (figures(capacity, finding)) }
        p.note {
            "Open model: requests arrive at random moments that were planned before, in the profile's proportions. "
            "The rate was doubled, then bisected, then repeated around the result in random order."
        }
        (curves(capacity))
        (table(&capacity.trials))
        @if let Some(verdict) = &capacity.verification {
            h2 { "What the database holds of what was promised" }
            pre { (verdict) }
        }
    };
    page(
        &format!("capacity of {} · {}", capacity.profile, capacity.exit),
        &body,
    )
}

fn figures(capacity: &Capacity, finding: &CapacityFinding) -> Markup {
    let end = |end: Option<f64>| end.map_or("?".to_owned(), |end| format!("{end:.0}/s"));
    markup! {
        section.figures {
            (big(&format!("{:.0}/s", finding.rate), "capacity"))
            (big(&end(finding.low), "every trial held up to"))
            (big(&end(finding.high), "none held from"))
            (big(&format!("{:.0}/s", capacity.closed_rate), "closed probe"))
        }
        @if let Some(broke) = broke(finding) { p { (broke) "." } }
        @if let Some(bound) = &finding.bound { p { "There: " (bound) "." } }
    }
}

/// Latency and success against the rate, from the least to the greatest value of each rate.
fn curves(capacity: &Capacity) -> Markup {
    let mut trials: Vec<&Trial> = capacity.trials.iter().collect();
    trials.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let most = trials.last().map_or(1.0, |trial| trial.rate);
    let points = |pick: fn(&Trial) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = trials.iter();
        points
            .filter_map(|trial| Some((trial.rate, pick(trial)?)))
            .collect()
    };
    let limits = (trials.first().iter())
        .flat_map(|trial| &trial.conditions)
        .filter(|judged| judged.unit == Unit::Microseconds)
        .map(|judged| (judged.limit, judged.threshold.clone()))
        .collect();
    let ticks = |count: u32| {
        let tick = |n| f64::from(n) * most / f64::from(count);
        (0..=count)
            .map(|n| (tick(n), format!("{:.0}", tick(n))))
            .collect()
    };
    let curve = |name: &str, class, pick| Curve {
        name: name.to_owned(),
        class,
        points: points(pick),
    };
    let latency = Lines {
        title: "latency".to_owned(),
        scale: Scale::Log,
        show: |value| micros(value as u64),
        curves: vec![
            curve("p50", "c0", |trial| trial.p50_us.map(|us| us as f64)),
            curve("p99", "c1", |trial| trial.p99_us.map(|us| us as f64)),
        ],
        limits,
        is_tall: true,
    };
    let success = Lines {
        title: "answered as prescribed".to_owned(),
        scale: Scale::Linear,
        show: |value| format!("{value:.0} %"),
        curves: vec![curve("share of all requests", "c5", |trial| {
            Some(trial.success * 100.0)
        })],
        limits: Vec::new(),
        is_tall: false,
    };
    let picture = Picture {
        range: (0.0, most),
        ticks: ticks(8),
        label: "requests a second",
        show: |rate| format!("{rate:.0}/s"),
        panels: vec![Panel::Lines(latency), Panel::Lines(success)],
    };
    markup! {
        h2 { "Against the rate" }
        (picture.markup())
    }
}

fn table(trials: &[Trial]) -> Markup {
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    markup! {
        h2 { "Trials, in the order of time" }
        div.wide { table {
            tr {
                @for name in ["rate/s", "answered/s", "success", "p50", "p99", "service p50"] { th.number { (name) } }
                th { "standing" } th { "outcomes" } th { "the server's view" }
            }
            @for trial in trials {
                tr class=(if trial.standing == Standing::Held { "" } else { "missed" }) {
                    td.number { (format!("{:.0}", trial.rate)) }
                    td.number { (format!("{:.0}", trial.answered)) }
                    td.number { (share(trial.success)) }
                    td.number { (shown(trial.p50_us)) }
                    td.number { (shown(trial.p99_us)) }
                    td.number { (shown(trial.service_p50_us)) }
                    td { (standing(trial.standing)) }
                    td { (trial.outcomes) }
                    td { (trial.telemetry.as_ref().and_then(|seen| seen.sentence()).unwrap_or_default()) }
                }
            }
        } }
    }
}
