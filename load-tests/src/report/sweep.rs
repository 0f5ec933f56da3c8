//! The page of a sweep: the answer, the points, and PgBouncer against none, as Markdown, HTML and a picture.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use maud::html as markup;

use super::axis::Scale;
use super::bars::{Bar, bars};
use super::html::page;
use super::lines::{CLASSES, Curve, Lines};
use super::panel::Panel;
use super::picture::Picture;
use super::values::share;
use crate::compare::{ComparedFigure, Finding};
use crate::files::write_whole;
use crate::output::micros;
use crate::sweep::{LEAST, Point, Spread, Sweep, Versus};
use crate::text_table::text_table;

const POINT_COLUMNS: [&str; 7] = [
    "servers",
    "way",
    "connections in PostgreSQL",
    "requests/s",
    "p99",
    "success",
    "writes read back",
];
const VERSUS_COLUMNS: [&str; 6] = [
    "servers",
    "their connections",
    "pool",
    "requests/s, with / without",
    "p99, with / without",
    "PgBouncer",
];

/// Writes the page beside what it is made of, and gives the one for reading.
///
/// # Errors
/// Names the file that cannot be written.
pub fn write_sweep(sweep: &Sweep, folder: &Path) -> anyhow::Result<PathBuf> {
    let html = folder.join("sweep.html");
    for (path, text) in [
        (folder.join("sweep.svg"), picture(sweep)),
        (folder.join("sweep.md"), markdown(sweep)),
        (html.clone(), whole_page(sweep)),
    ] {
        write_whole(&path, &text)?;
    }
    Ok(html)
}

/// What each figure is, for a reader who has nothing else.
fn legend_text(sweep: &Sweep) -> String {
    let read_back = match sweep.invalid.is_empty() {
        true => "Every acknowledged write was read back from PostgreSQL; none was lost.",
        false => "Of the writes that were read back from PostgreSQL none was lost.",
    };
    format!(
        "{} rounds, each of which visits every point once, in random order. Requests a second: as many as 64 connections get \
         answered (closed model). p99 and success: at {:.0} requests a second (open model, latency from the intended moment). \
         Medians, from the smallest to the greatest. Ratios are those of the same round, with their 95 % intervals (Student's, over \
         logarithms); differences under {:.0} % do not count. {read_back}",
        sweep.rounds,
        sweep.open_rate,
        LEAST * 100.0
    )
}

fn point_cells(point: &Point) -> [String; 7] {
    [
        point.servers.to_string(),
        point.way(),
        point.connections.to_string(),
        spread(&point.rate, |rate| format!("{rate:.0}")),
        spread(&point.p99_us, |us| micros(us as u64)),
        share(point.success),
        point.read_back.to_string(),
    ]
}

fn servers(count: u32) -> String {
    if count == 1 {
        "1 server".to_owned()
    } else {
        format!("{count} servers")
    }
}

/// Whether a column holds figures, which stand right.
fn is_figure(column: &str) -> bool {
    !["way", "PgBouncer"].contains(&column)
}

fn spread(spread: &Spread, show: fn(f64) -> String) -> String {
    let Spread {
        median, min, max, ..
    } = spread;
    format!("{} ({} to {})", show(*median), show(*min), show(*max))
}

fn versus_cells(versus: &Versus) -> [String; 6] {
    let ratio = |figure: &Option<ComparedFigure>| match figure {
        Some(figure) => format!(
            "{:.2} ({:.2} to {:.2})",
            figure.ratio, figure.interval.0, figure.interval.1
        ),
        None if versus.success.is_none() => "no room without".to_owned(),
        None => "too little was answered".to_owned(),
    };
    let words = match versus.finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::NoDifferenceShown => "no difference shown",
    };
    [
        versus.servers.to_string(),
        versus.connections.to_string(),
        versus.pool.to_string(),
        ratio(&versus.rate),
        ratio(&versus.p99),
        words.to_owned(),
    ]
}

fn circumstances(sweep: &Sweep) -> Vec<(String, String)> {
    let machine = &sweep.machine;
    let hardware = format!(
        "{} CPUs ({}), {} MiB, Linux {}",
        machine.cpus, machine.cpu_model, machine.memory_mib, machine.kernel
    );
    let no_room = sweep.no_room.iter().map(|point| {
        let what = format!("{} without PgBouncer", servers(point.servers));
        let why = format!(
            "left out: they open {} connections, PostgreSQL has room for {}",
            point.needs, point.room
        );
        (what, why)
    });
    let machine = [("machine".to_owned(), hardware)];
    machine
        .into_iter()
        .chain(sweep.setup.clone())
        .chain(no_room)
        .collect()
}

fn markdown(sweep: &Sweep) -> String {
    let invalid: String = (sweep.invalid.iter())
        .map(|why| format!("**INVALID**: {why}.\n\n"))
        .collect();
    let mut text = format!(
        "# PgBouncer, or not\n\n{}\n\n{invalid}![](sweep.svg)\n",
        sweep.sentence
    );
    // Writing to a string cannot fail.
    let _written = write_tables(&mut text, sweep);
    text
}

fn write_tables(text: &mut String, sweep: &Sweep) -> std::fmt::Result {
    let points = sweep.points.iter().map(point_cells);
    writeln!(text, "\n{}", text_table(POINT_COLUMNS, points))?;
    let versus = sweep.versus.iter().map(versus_cells);
    text.push_str(&text_table(VERSUS_COLUMNS, versus));
    writeln!(text, "\n{}", legend_text(sweep))?;
    let setup = circumstances(sweep)
        .into_iter()
        .map(|(name, value)| [name, value]);
    write!(text, "\n{}", text_table(["setup", ""], setup))?;
    for mark in &sweep.marks {
        writeln!(text, "\n> Note: {mark}.")?;
    }
    Ok(())
}

fn picture(sweep: &Sweep) -> String {
    let bar = |point: &Point| Bar {
        name: format!("{}, {}", servers(point.servers), point.way()),
        value: point.rate.median,
        range: (point.rate.min, point.rate.max),
        is_reference: point.pool.is_none(),
    };
    let all: Vec<Bar> = sweep.points.iter().map(bar).collect();
    bars(
        &all,
        "requests a second: median, from the smallest to the greatest",
    )
}

fn whole_page(sweep: &Sweep) -> String {
    let rows = |head: &[&str], rows: Vec<Vec<String>>| {
        markup! {
            div.wide { table {
                tr { @for name in head { th.number[is_figure(name)] { (name) } } }
                @for row in rows { tr { @for (name, cell) in head.iter().zip(row) { td.number[is_figure(name)] { (cell) } } } }
            } }
        }
    };
    let points = sweep.points.iter().map(|point| point_cells(point).to_vec());
    let versus = sweep.versus.iter().map(|row| versus_cells(row).to_vec());
    let body = markup! {
        header class=(if sweep.invalid.is_empty() { "good" } else { "doubt" }) {
            h1 { "PgBouncer, or not" } p { (sweep.sentence) }
        }
        @for why in &sweep.invalid { p.reason { "INVALID: " (why) "." } }
        @for mark in &sweep.marks { p.reason.mark { "Note: " (mark) } }
        h2 { "Over the number of servers" }
        (over_servers(sweep).markup())
        h2 { "Points" }
        (rows(&POINT_COLUMNS, points.collect()))
        h2 { "With PgBouncer against without" }
        (rows(&VERSUS_COLUMNS, versus.collect()))
        p.note { (legend_text(sweep)) }
        h2 { "Setup" }
        table.environment { @for (name, value) in circumstances(sweep) { tr { th { (name) } td { (value) } } } }
    };
    page("PgBouncer, or not", &body)
}

/// Rates and latencies over the number of servers.
fn over_servers(sweep: &Sweep) -> Picture {
    let counts: BTreeSet<u32> = sweep.points.iter().map(|point| point.servers).collect();
    let ends = counts.first().zip(counts.last()).unwrap_or((&0, &0));
    Picture {
        range: (f64::from(*ends.0), f64::from((*ends.1).max(ends.0 + 1))),
        ticks: (counts.iter())
            .map(|n| (f64::from(*n), n.to_string()))
            .collect(),
        label: "servers",
        show: |n| servers(n as u32),
        panels: vec![
            Panel::Lines(Lines {
                title: "requests a second".to_owned(),
                scale: Scale::Linear,
                show: |rate| format!("{rate:.0}/s"),
                curves: curves(sweep, |point| point.rate.median),
                limits: Vec::new(),
                is_tall: true,
            }),
            Panel::Lines(Lines {
                title: "p99 at a fixed rate".to_owned(),
                scale: Scale::Linear,
                show: |us| micros(us as u64),
                curves: curves(sweep, |point| point.p99_us.median),
                limits: Vec::new(),
                is_tall: true,
            }),
        ],
    }
}

/// One curve for each way to the database.
fn curves(sweep: &Sweep, pick: fn(&Point) -> f64) -> Vec<Curve> {
    let ways: BTreeSet<Option<u32>> = sweep.points.iter().map(|point| point.pool).collect();
    let curve = |(way, class): (Option<u32>, &'static str)| {
        let points: Vec<&Point> = sweep
            .points
            .iter()
            .filter(|point| point.pool == way)
            .collect();
        Some(Curve {
            name: points.first()?.way(),
            class,
            points: points
                .iter()
                .map(|point| (f64::from(point.servers), pick(point)))
                .collect(),
        })
    };
    ways.into_iter()
        .zip(CLASSES.into_iter().cycle())
        .filter_map(curve)
        .collect()
}
