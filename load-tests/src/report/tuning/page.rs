//! The page of tuning: what changes, why, and a curve for each size.

use maud::{Markup, html as markup};

use super::{because, headline, next, taken};
use crate::exit::Exit;
use crate::output::micros;
use crate::report::axis::Scale;
use crate::report::html::{big, page};
use crate::report::lines::{Curve, Lines};
use crate::report::panel::Panel;
use crate::report::picture::Picture;
use crate::report::values::share;
use crate::tune::{CurvePoint, Size, Tuning};

/// The whole page.
pub fn tuning_page(tuning: &Tuning) -> String {
    let state = match tuning.exit {
        Exit::Passed => "good",
        Exit::Invalid => "doubt",
        _ => "bad",
    };
    let title = match (tuning.current == tuning.chosen, tuning.exit) {
        (true, Exit::Invalid) => "Not known",
        (true, _) => "Leave it",
        (false, _) => "Better sizes",
    };
    let body = markup! {
        header class=(state) {
            h1 { (title) span { (tuning.exit) " · " (tuning.stack) ", profile " (tuning.profile) } }
            p { (headline(tuning)) "." }
        }
        @for why in &tuning.invalid { p.reason { "INVALID: " (why) } }
        @for mark in &tuning.marks { p.reason.mark { "Note: " (mark) } }
        (figures(tuning))
        ul { @for sentence in because(tuning) { li { (sentence) } } }
        @if !tuning.diff.is_empty() { h2 { "What changes" } pre { (tuning.diff) } }
        p { (next(tuning)) "." }
        (curves(tuning))
        (formulas(tuning))
        (proofs(tuning))
        (samples(tuning))
        @if let Some(verdict) = &tuning.verification {
            h2 { "What the database holds of what was promised" }
            pre { (verdict) }
        }
    };
    page(&format!("{title} · {}", tuning.stack), &body)
}

fn figures(tuning: &Tuning) -> Markup {
    let chosen = tuning.chosen;
    markup! {
        section.figures {
            @for size in Size::ALL { (big(&chosen.get(size).to_string(), size.name())) }
            (big(&format!("{:.0}/s", tuning.rate), "load"))
            (big(&tuning.samples.len().to_string(), "trials"))
        }
        p.note {
            "Open model near the knee, in the profile's proportions; every step was measured in random order, and is taken "
            "only where fresh pairs prove it beyond chance. Objective for the knee: " (tuning.slo.join(", ")) "."
        }
    }
}

/// One chart for each size that was varied around the chosen sizes, or around those before.
fn curves(tuning: &Tuning) -> Markup {
    let around = |size| {
        let of_chosen = tuning.curve(&tuning.chosen, size);
        match of_chosen.len() {
            0 | 1 => tuning.curve(&tuning.current, size),
            _ => of_chosen,
        }
    };
    markup! {
        h2 { "p99 against each size" }
        p.note { "Trials at the last rate that differ in this size alone. Of two trials the interval is from the lower to the higher; one has none." }
        @for size in Size::ALL {
            @let points = around(size);
            @if points.len() > 1 {
                (picture(size, &points).markup())
            }
        }
    }
}

/// Sizes are powers of two of each other: the axis is their logarithm.
fn picture(size: Size, points: &[CurvePoint]) -> Picture {
    let at = |value: u32| f64::from(value.max(1)).log2();
    let curve = |name: &str, class, pick: fn(&CurvePoint) -> f64| Curve {
        name: name.to_owned(),
        class,
        points: points
            .iter()
            .map(|point| (at(point.value), pick(point)))
            .collect(),
    };
    let end = |point: Option<&CurvePoint>, empty| point.map_or(empty, |point| at(point.value));
    Picture {
        range: (end(points.first(), 0.0), end(points.last(), 1.0)),
        ticks: points
            .iter()
            .map(|point| (at(point.value), point.value.to_string()))
            .collect(),
        label: "size",
        show: |at| format!("{:.0}", at.exp2()),
        panels: vec![Panel::Lines(Lines {
            title: format!("{} ({})", size.name(), size.variable()),
            scale: Scale::Log,
            show: |value| micros(value as u64),
            curves: vec![
                curve("low", "c2", |point| point.interval.0),
                curve("mean", "c1", |point| point.mean_us),
                curve("high", "c2", |point| point.interval.1),
            ],
            limits: Vec::new(),
            is_tall: true,
        })],
    }
}

fn formulas(tuning: &Tuning) -> Markup {
    markup! {
        h2 { "What the usual formulas would say" }
        table.environment {
            tr { th { "formula" } th.number { "says" } th.number { "chosen" } th { "about" } }
            @for formula in &tuning.formulas {
                tr {
                    td { (formula.name) } td.number { (formula.value) } td.number { (formula.chosen) }
                    td { (formula.about) }
                }
            }
        }
    }
}

fn proofs(tuning: &Tuning) -> Markup {
    markup! {
        @if !tuning.proofs.is_empty() {
            h2 { "Steps that were put to the proof" }
            div.wide { table {
                tr { th { "from" } th { "to" } th.number { "p99 as a share" } th.number { "95 % interval" } th { "taken" } }
                @for proof in &tuning.proofs {
                    tr {
                        td { (proof.from) } td { (proof.to) }
                        td.number { (format!("{:.2}", proof.ratio)) }
                        td.number { (format!("{:.2} .. {:.2}", proof.interval.0, proof.interval.1)) }
                        td { (taken(proof)) }
                    }
                }
            } }
        }
    }
}

fn samples(tuning: &Tuning) -> Markup {
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), micros);
    markup! {
        h2 { "Trials, in the order of time" }
        div.wide { table {
            tr {
                th { "sizes" }
                @for name in ["rate/s", "answered/s", "success", "p50", "p99"] { th.number { (name) } }
                th { "outcomes" }
            }
            @for sample in &tuning.samples {
                tr {
                    td { (sample.sizes) }
                    td.number { (format!("{:.0}", sample.trial.rate)) }
                    td.number { (format!("{:.0}", sample.trial.answered)) }
                    td.number { (share(sample.trial.success)) }
                    td.number { (shown(sample.trial.p50_us)) }
                    td.number { (shown(sample.trial.p99_us)) }
                    td { (sample.trial.outcomes) }
                }
            }
        } }
    }
}
