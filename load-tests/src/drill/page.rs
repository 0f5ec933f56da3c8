//! The page of a campaign, in Markdown.

use std::fmt::Write;

use super::table::{COLUMNS, Row, Table};
use crate::exit::Exit;
use crate::text_table::text_table;

/// The page: the verdict, the table, and what was not kept.
pub fn page(table: &Table) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write_all(&mut text, table);
    text
}

fn is_kept(row: &Row) -> bool {
    row.exit() == Exit::Passed
}

fn write_all(text: &mut String, table: &Table) -> std::fmt::Result {
    let (machine, total) = (&table.machine, table.total());
    writeln!(text, "# Drills: {}\n", table.exit())?;
    writeln!(
        text,
        "{} of {} drills kept every invariant; lost {} of {} acknowledged writes; {} kills; {} of {} unknown outcomes \
         settled, the last {:.1} s after healing.\n",
        table.rows.iter().filter(|row| is_kept(row)).count(),
        table.rows.len(),
        total.lost,
        total.acknowledged,
        total.kills,
        total.unknown_settled,
        total.unknown_creates,
        total.settled_ms as f64 / 1e3,
    )?;
    if let Some(control) = &table.control {
        writeln!(
            text,
            "The negative control, a database that does not wait for its disk, killed {} times: lost {} of {} \
             acknowledged, all found.\n",
            control.rounds, control.lost, control.acknowledged
        )?;
    }
    let commit = table.commit.as_deref().unwrap_or("no work tree");
    writeln!(
        text,
        "Begun {}, commit {commit}, {} CPUs ({}), {} MiB, kernel {}. Again: `{}`\n",
        table.started_at,
        machine.cpus,
        machine.cpu_model,
        machine.memory_mib,
        machine.kernel,
        table.command
    )?;
    let rows = table.rows.iter().map(Row::cells);
    text.push_str(&text_table(COLUMNS, rows.chain([table.total_cells()])));
    writeln!(
        text,
        "\n*Longest answer* counts from the moment at which a request was due. *Healed* is the longest time from the end \
         of a fault to ten creates in a row. 503 and 504 are what the contract prescribes while nothing can be stored.\n"
    )?;
    let wanting: Vec<_> = table.rows.iter().filter(|row| !is_kept(row)).collect();
    let left_out = &table.left_out;
    if !wanting.is_empty() || !table.missed().is_empty() || !left_out.is_empty() {
        writeln!(text, "## Not kept\n")?;
    }
    for row in wanting {
        writeln!(text, "- {}: {}", row.id, row.verdict())?;
        for finding in row.findings.iter().take(10) {
            writeln!(text, "  - {finding}")?;
        }
    }
    for missed in table.missed() {
        writeln!(text, "- {missed}")?;
    }
    if !left_out.is_empty() {
        writeln!(text, "- not done: {}", left_out.join(", "))?;
    }
    Ok(())
}
