//! Tables of Markdown whose columns line up, so that they read well on a terminal, too.

use crate::output::one_line;

/// A column by its head; figures stand right.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// Of words.
    Text(&'a str),
    /// Of figures.
    Figure(&'a str),
}

impl<'a> From<&'a str> for Column<'a> {
    fn from(head: &'a str) -> Column<'a> {
        Column::Text(head)
    }
}

/// The table; no text of a cell ends it.
pub fn text_table<'a, const N: usize>(
    columns: [impl Into<Column<'a>>; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let columns: [Column<'a>; N] = columns.map(Into::into);
    let head = columns.map(|column| match column {
        Column::Text(head) | Column::Figure(head) => head.to_owned(),
    });
    let is_figure = columns.map(|column| matches!(column, Column::Figure(_)));
    let cell = |text: String| one_line(&text).replace('|', "\\|");
    let rows = rows.into_iter().map(|row| row.map(cell));
    let lines: Vec<[String; N]> = std::iter::once(head).chain(rows).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(3)
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).zip(is_figure);
        let cells: String = cells
            .map(|((cell, width), is_figure)| match is_figure {
                true => format!(" {cell:>width$} |"),
                false => format!(" {cell:<width$} |"),
            })
            .collect();
        format!("|{cells}\n")
    };
    let rule: String = (widths.iter().zip(is_figure))
        .map(|(width, is_figure)| {
            let end = if is_figure { ':' } else { '-' };
            format!("-{}{end}|", "-".repeat(*width))
        })
        .collect();
    let body: String = lines[1..].iter().map(line).collect();
    format!("{}|{rule}\n{body}", line(&lines[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_cell_ends_its_row() {
        let rows = [["a|b\r\nc", "7"], ["d", "1234"]].map(|row| row.map(str::to_owned));
        let table = text_table([Column::Text("name"), Column::Figure("n")], rows);
        assert_eq!(
            table,
            "| name    |    n |\n|---------|-----:|\n| a\\|b  c |    7 |\n| d       | 1234 |\n"
        );
    }
}
