//! The page of a comparison: the verdict, every figure, and what each slice measured.

use maud::{Markup, html as markup};

use super::axis::Scale;
use super::html::{big, page};
use super::lines::{Curve, Lines};
use super::panel::Panel;
use super::picture::Picture;
use super::values::share;
use crate::compare::{Comparison, FIGURES, Finding, Slice, SliceFigure, show};
use crate::output::micros;

/// The whole page.
pub fn comparison_page(comparison: &Comparison) -> String {
    let verdict = verdict(comparison);
    let title = format!("{verdict} · {}", comparison.decides);
    let state = match comparison.verdict {
        _ if !comparison.invalid.is_empty() => "doubt",
        Finding::Worse => "bad",
        Finding::Better | Finding::NoDifferenceShown => "good",
    };
    let decides = FIGURES
        .iter()
        .filter(|(name, ..)| *name == comparison.decides);
    let rate = FIGURES
        .iter()
        .filter(|(name, ..)| *name == "rate" && comparison.decides != "rate");
    let body = markup! {
        header class=(state) {
            h1 { (verdict) span { "on " (comparison.decides) } }
            p { "A: " (comparison.a) }
            p { "B: " (comparison.b) }
        }
        @for reason in &comparison.invalid { p.reason { "INVALID: " (reason) } }
        (headline(comparison))
        p.note {
            "Slices of A and B in turn; neighbours are compared as ratios, so that a slow minute of the machine hits "
            "both. Differences under " (format!("{:.0} %", comparison.least * 100.0)) " do not count."
        }
        (figures(comparison))
        @for figure in decides.chain(rate) { (chart(comparison, figure)) }
        (slices(&comparison.pairs))
    };
    page(&title, &body)
}

fn verdict(comparison: &Comparison) -> &'static str {
    if comparison.invalid.is_empty() {
        comparison.verdict.words()
    } else {
        "INVALID"
    }
}

fn headline(comparison: &Comparison) -> Markup {
    let mut rows = comparison.rows.iter();
    let row = rows.find(|row| row.figure == comparison.decides);
    markup! {
        @if let Some(row) = row {
            section.figures {
                (big(&show(row.a, &row.unit), &format!("{} of A", row.figure)))
                (big(&show(row.b, &row.unit), &format!("{} of B", row.figure)))
                (big(&format!("{:.3}", row.ratio), "B / A"))
                (big(&format!("{:.3} to {:.3}", row.interval.0, row.interval.1), "95 % interval"))
            }
        }
    }
}

fn figures(comparison: &Comparison) -> Markup {
    markup! {
        h2 { "Figures" }
        div.wide { table {
            tr {
                th { "figure" }
                @for name in ["A", "B", "B / A", "95 % interval", "pairs"] { th.number { (name) } }
                th { "finding" }
            }
            @for row in &comparison.rows {
                tr {
                    td { (row.figure) }
                    td.number { (show(row.a, &row.unit)) }
                    td.number { (show(row.b, &row.unit)) }
                    td.number { (format!("{:.3}", row.ratio)) }
                    td.number { (format!("{:.3} .. {:.3}", row.interval.0, row.interval.1)) }
                    td.number { (row.pairs) }
                    td { (row.finding.words()) }
                }
            }
        } }
    }
}

fn chart(comparison: &Comparison, (name, unit, _, pick): &SliceFigure) -> Markup {
    let curve = |name: &str, class, side: usize| Curve {
        name: name.to_owned(),
        class,
        points: (1..)
            .zip(&comparison.pairs)
            .map(|(pair, sides)| (f64::from(pair), pick(&sides[side])))
            .collect(),
    };
    let last = comparison.pairs.len().max(2);
    let step = last.div_ceil(12);
    let picture = Picture {
        range: (1.0, last as f64),
        ticks: (1..=last)
            .step_by(step)
            .map(|pair| (pair as f64, pair.to_string()))
            .collect(),
        label: "pair",
        show: |pair| format!("pair {pair:.0}"),
        panels: vec![Panel::Lines(Lines {
            title: (*name).to_owned(),
            scale: Scale::Linear,
            show: match *unit {
                "us" => |value| micros(value as u64),
                "%" => share,
                _ => |value| format!("{value:.0}/s"),
            },
            curves: vec![curve("A", "c0", 0), curve("B", "c1", 1)],
            limits: Vec::new(),
            is_tall: true,
        })],
    };
    markup! {
        h2 { (name) " by pair" }
        (picture.markup())
    }
}

fn slices(pairs: &[[Slice; 2]]) -> Markup {
    markup! {
        h2 { "Slices" }
        div.wide { table {
            tr {
                th { "pair" } th { "side" }
                @for (name, ..) in FIGURES { th.number { (name) } }
                th { "outcomes" }
            }
            @for (pair, sides) in (1..).zip(pairs) {
                @for (side, slice) in ["A", "B"].iter().zip(sides) {
                    tr {
                        td { (pair) } td { (side) }
                        @for (_, unit, _, pick) in FIGURES { td.number { (show(pick(slice), unit)) } }
                        td { (slice.outcomes) }
                    }
                }
            }
        } }
    }
}
