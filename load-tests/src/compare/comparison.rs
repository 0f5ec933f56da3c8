//! A whole comparison, and its table.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{ComparedFigure, Finding};
use crate::output::{micros, one_line};
use crate::text_table::Column::{Figure, Text};
use crate::text_table::text_table;

/// A whole comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The label of A.
    pub a: String,
    /// The label of B.
    pub b: String,
    /// The figure that the verdict is about: the one chosen before the run, or `success` when B
    /// clearly answers less.
    pub decides: String,
    /// Differences smaller than this share count as none.
    pub least: f64,
    /// Every figure.
    pub rows: Vec<ComparedFigure>,
    /// The finding of the figure that decides.
    pub verdict: Finding,
    /// What each slice measured, A and B.
    pub pairs: Vec<[Slice; 2]>,
    /// Why the comparison says nothing; empty when it does.
    pub invalid: Vec<String>,
}

/// The figures of one slice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// Requests answered as prescribed, a second.
    pub rate: f64,
    /// Their share.
    pub success: f64,
    /// Latency from the intended moment at the median.
    pub p50_us: f64,
    /// At 90 %.
    pub p90_us: f64,
    /// At 99 %.
    pub p99_us: f64,
    /// Service time at the median.
    pub service_p50_us: f64,
    /// The outcomes of its requests, for reading.
    pub outcomes: String,
}

impl Comparison {
    /// One table, as Markdown that also reads well on a terminal.
    pub fn table(&self) -> String {
        let [a, b] = [&self.a, &self.b].map(|label| one_line(label));
        let mut text = format!("A: {a}\nB: {b}\n\n");
        let columns = [
            Text("figure"),
            Figure("A"),
            Figure("B"),
            Figure("B / A"),
            Figure("95 % interval"),
            Figure("pairs"),
            Text("finding"),
        ];
        let rows = self.rows.iter().map(|row| {
            [
                row.figure.clone(),
                show(row.a, &row.unit),
                show(row.b, &row.unit),
                format!("{:.3}", row.ratio),
                format!("{:.3} .. {:.3}", row.interval.0, row.interval.1),
                row.pairs.to_string(),
                row.finding.words().to_owned(),
            ]
        });
        text.push_str(&text_table(columns, rows));
        for reason in &self.invalid {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "\nINVALID: {reason}");
        }
        let _written = if self.invalid.is_empty() {
            writeln!(
                text,
                "\nVerdict on {}: {} (differences under {:.0} % do not count)",
                self.decides,
                self.verdict.words(),
                self.least * 100.0
            )
        } else {
            writeln!(text, "\nNo verdict: an INVALID comparison says nothing")
        };
        text
    }
}

/// A figure with its unit.
pub fn show(value: f64, unit: &str) -> String {
    match unit {
        "us" => micros(value as u64),
        "%" => format!("{:.2} %", value * 100.0),
        _ => format!("{value:.0} {unit}"),
    }
}
