//! Tables that read well in a terminal and in Markdown.

use crate::sample::Spread;

/// A median and the extremes of the rounds.
pub(super) fn spread(spread: &Spread, show: impl Fn(f64) -> String) -> String {
    let Spread { median, min, max } = *spread;
    format!("{} ({}–{})", show(median), show(min), show(max))
}

/// A table whose columns line up.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]);
        cells
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
            .max(3)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths);
        let cells: String = cells
            .map(|(cell, width)| format!(" {cell:<width$} |"))
            .collect();
        format!("|{cells}\n")
    };
    let rule: String = widths
        .iter()
        .map(|width| format!("-{}-|", "-".repeat(*width)))
        .collect();
    let body: String = rows.iter().map(line).collect();
    format!("{}|{rule}\n{body}", line(&head))
}
