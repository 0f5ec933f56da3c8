//! The table of the full-screen view, with as many columns as fit.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Row, Table};

use super::progress::Progress;
use crate::engine::Tally;
use crate::output::micros;

/// Draws the figures of every endpoint over the whole run.
pub(super) fn render_table(frame: &mut Frame<'_>, area: Rect, progress: &Progress<'_>) {
    let names = progress.plan.endpoints.iter().map(String::as_str);
    let total = progress.collected.total();
    let tallies = names.zip(&progress.collected.tallies);
    let tallies: Vec<(&str, &Tally)> = tallies.chain([("all", &total)]).collect();
    let cells: Vec<Vec<String>> = tallies
        .iter()
        .map(|(name, tally)| cells(name, tally))
        .collect();
    let columns = fitting(&cells, area.width.saturating_sub(2));
    let line = |place: usize, text: &str| match place {
        0 => Line::from(text.to_owned()),
        _ => Line::from(text.to_owned()).right_aligned(),
    };
    let rows = tallies.iter().zip(&cells).map(|((name, tally), cells)| {
        let style = match tally.failed() {
            0 => Style::new(),
            _ => Style::new().fg(Color::Red),
        };
        let row = Row::new(
            columns
                .iter()
                .map(|(place, _)| line(*place, &cells[*place])),
        );
        let row = row.style(style);
        if *name == "all" { row.bold() } else { row }
    });
    let head = Row::new(columns.iter().map(|(place, _)| line(*place, HEAD[*place])));
    let in_flight = progress
        .collected
        .seconds
        .get(progress.second)
        .map_or(0, |row| row.in_flight);
    let title = format!(
        " whole run; in flight {in_flight}, begun late {} ",
        total.late
    );
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    let table = Table::new(rows, widths)
        .header(head.style(Style::new().dim()))
        .block(Block::bordered().title(title));
    frame.render_widget(table, area);
}

const HEAD: [&str; 9] = [
    "endpoint", "sent", "ok", "failed", "p50", "p90", "p99", "p99.9", "max",
];

/// The columns that go first where there is no room for all, by their places: a figure is shown whole or not at all.
const DISPENSABLE: [usize; 8] = [5, 1, 8, 7, 4, 2, 3, 6];

fn cells(name: &str, tally: &Tally) -> Vec<String> {
    let at = |quantile| micros(tally.latency.value_at_quantile(quantile));
    vec![
        name.to_owned(),
        tally.sent.to_string(),
        tally.succeeded().to_string(),
        tally.failed().to_string(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        micros(tally.latency.max()),
    ]
}

/// The columns that fit into a width, each with its own, in their order.
fn fitting(cells: &[Vec<String>], width: u16) -> Vec<(usize, u16)> {
    let widest = |place: usize| {
        let column = cells.iter().map(|row| row[place].chars().count());
        column.chain([HEAD[place].len()]).max().unwrap_or(0) as u16
    };
    let mut columns: Vec<(usize, u16)> = (0..HEAD.len())
        .map(|place| (place, widest(place)))
        .collect();
    for dispensable in DISPENSABLE {
        // A column of space stands between two.
        let needed: u16 = columns.iter().map(|(_, width)| width + 1).sum();
        if needed <= width + 1 {
            break;
        }
        columns.retain(|(place, _)| *place != dispensable);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_shown_whole_or_not_at_all() {
        let row = |name: &str| {
            let figures = [
                "123456",
                "123456",
                "7",
                "12.3 ms",
                "249.3 ms",
                "249.3 ms",
                "1249.30 s",
                "9 s",
            ];
            let figures = figures.into_iter().map(str::to_owned);
            [name.to_owned()]
                .into_iter()
                .chain(figures)
                .collect::<Vec<_>>()
        };
        let cells = [row("search-without-term"), row("all")];
        for width in [200, 78, 60, 40, 38] {
            let columns = fitting(&cells, width);
            let needed: u16 = columns.iter().map(|(_, width)| width + 1).sum();
            assert!(needed <= width + 1, "{width}: {columns:?}");
            for (place, width) in &columns {
                assert!(
                    cells
                        .iter()
                        .all(|row| row[*place].len() <= usize::from(*width))
                );
            }
        }
        assert_eq!(fitting(&cells, 200).len(), HEAD.len());
        assert!(
            fitting(&cells, 78)
                .iter()
                .any(|(place, _)| HEAD[*place] == "p99")
        );
    }
}
