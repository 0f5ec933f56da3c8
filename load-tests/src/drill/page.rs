//! The page of a campaign, in Markdown.

use std::fmt::Write;

use super::figures::Figures;
use super::table::{Row, Table};
use crate::exit::Exit;
use crate::output::micros;
use crate::text_table::Column::{self, Figure, Text};
use crate::text_table::text_table;

/// The head of the table.
const COLUMNS: [Column<'static>; 14] = [
    Text("Drill"),
    Text("What is broken"),
    Text("PostgreSQL, PgBouncer"),
    Figure("Rounds"),
    Figure("Kills"),
    Figure("Requests"),
    Figure("201"),
    Figure("503"),
    Figure("504"),
    Figure("No answer"),
    Figure("Lost"),
    Figure("Unknown, settled"),
    Figure("Longest answer"),
    Figure("Healed"),
];

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
    let drills = format!("{} drills", table.rows.len());
    let total = cells("all", &drills, "", &total);
    let rows = table.rows.iter().map(row_cells);
    text.push_str(&text_table(COLUMNS, rows.chain([total])));
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

fn row_cells(row: &Row) -> [String; 14] {
    let versions = [&row.postgres, &row.pooler].map(String::as_str);
    let versions = versions.join(", ");
    let versions = versions.trim_matches([',', ' ']);
    cells(&row.id, &row.fault, versions, &row.figures)
}

/// In the order of [`COLUMNS`].
fn cells(id: &str, fault: &str, versions: &str, figures: &Figures) -> [String; 14] {
    let number = |n: u64| n.to_string();
    let unknown = match figures.unknown_creates {
        0 => "0".to_owned(),
        all => format!(
            "{} of {all}, {:.1} s",
            figures.unknown_settled,
            figures.settled_ms as f64 / 1e3
        ),
    };
    [
        id.to_owned(),
        fault.to_owned(),
        versions.to_owned(),
        number(figures.rounds),
        number(figures.kills),
        number(figures.requests),
        number(figures.created),
        number(figures.refused),
        number(figures.unknown),
        number(figures.unanswered),
        format!("{} of {}", figures.lost, figures.acknowledged),
        unknown,
        micros(figures.longest_us),
        format!("{:.1} s", figures.healed_ms as f64 / 1e3),
    ]
}
