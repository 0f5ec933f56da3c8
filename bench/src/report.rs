//! The tables of a bench: for the terminal, for a page, for programs; and a picture.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::sample::{Series, Spread, Unit};
use super::targets::{Target, is_server};
use super::{Bench, Options, Part};
use warrior_load::files::{create_directory, write_whole};
use warrior_load::output::micros;
use warrior_load::report::{Bar, bars};

/// Where the files of a bench are.
#[derive(Clone, Debug)]
pub struct Files {
    /// The tables.
    pub markdown: PathBuf,
    /// Every sample.
    pub json: PathBuf,
    /// Throughput as a picture.
    pub picture: PathBuf,
}

/// Where results are kept, in the repository.
const RESULTS: &str = "bench/results";

/// The kernel alone, working for the network and the disk, uses less of a machine.
const OTHERS_MAX: f64 = 0.15;

pub(super) fn write(bench: &Bench, out: Option<&Path>) -> anyhow::Result<Files> {
    let directory = out.map_or_else(|| Path::new(RESULTS).join(folder(bench)), PathBuf::from);
    create_directory(&directory)?;
    let name = name(&bench.options);
    let file = |extension: &str| directory.join(format!("{name}.{extension}"));
    let files = Files {
        markdown: file("md"),
        json: file("json"),
        picture: file("svg"),
    };
    let json = serde_json::to_string_pretty(bench)? + "\n";
    let page = markdown(bench, &format!("{name}.svg"));
    for (path, text) in [
        (&files.json, &json),
        (&files.markdown, &page),
        (&files.picture, &picture(bench)),
    ] {
        write_whole(path, text)?;
    }
    Ok(files)
}

pub(super) fn summary(bench: &Bench) -> String {
    let mut table = ratios(&bench.targets);
    if let Some(note) = disturbance(bench) {
        table += &format!("\n{note}\n");
    }
    table
}

/// The day and the machine.
fn folder(bench: &Bench) -> String {
    let day = &bench.started_at[..10.min(bench.started_at.len())];
    let machine = &bench.machine;
    let model: String = machine
        .cpu_model
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join("-")
        .to_lowercase();
    let model: String = model
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    format!("{day}-{model}-{}-cores", machine.cpus)
}

/// The parts and the rows, so that slices of one bench stand beside each other.
fn name(options: &Options) -> String {
    let all = [
        (Part::Create, "create"),
        (Part::Find, "find"),
        (Part::Count, "count"),
        (Part::Search, "search"),
        (Part::Classes, "classes"),
        (Part::Mixed, "mixed"),
    ];
    let chosen = all.iter().filter(|(part, _)| options.only.contains(part));
    let mut names: Vec<&str> = chosen.map(|(_, name)| *name).collect();
    if names.len() == all.len() {
        names = vec!["all"];
    }
    if options.distinct_skills {
        names.push("distinct-skills");
    }
    format!("{}-{}-rows", names.join("-"), options.rows)
}

/// The median of what else ran, when it was enough to disturb.
fn disturbance(bench: &Bench) -> Option<String> {
    let classes = bench.searches.iter().flat_map(|state| &state.classes);
    let series = bench
        .series
        .iter()
        .chain(classes.map(|class| &class.series));
    let samples = series.flat_map(|series| &series.samples);
    let others = Spread::of(samples.map(|sample| sample.other_cores))?;
    let share = others.median / bench.machine.cpus.max(1) as f64;
    (share > OTHERS_MAX).then(|| {
        format!(
            "DISTURBED: other programs and the kernel used {} of {} cores; on a quiet machine the figures \
             would be others.",
            spread(&others, |cores| format!("{cores:.2}")),
            bench.machine.cpus
        )
    })
}

/// The targets as a table that reads well in a terminal and in Markdown.
fn ratios(targets: &[Target]) -> String {
    let rows: Vec<[String; 4]> = targets
        .iter()
        .map(|target| {
            let millis = target.wanted.ends_with("ms");
            let show = |value: f64| match millis {
                true => format!("{value:.1} ms"),
                false => format!("{value:.2}"),
            };
            [
                target.what.clone(),
                spread(&target.measured, show),
                target.wanted.clone(),
                match target.held {
                    Some(true) => "held".to_owned(),
                    Some(false) => "NOT HELD".to_owned(),
                    None => "-".to_owned(),
                },
            ]
        })
        .collect();
    table(
        ["What", "Median (min–max of the rounds)", "Target", ""],
        &rows,
    )
}

fn markdown(bench: &Bench, picture: &str) -> String {
    let mut text = String::new();
    let options = &bench.options;
    let machine = &bench.machine;
    // Writing to a string cannot fail.
    let _written = (|| {
        writeln!(text, "# Bench with {} rows\n", options.rows)?;
        writeln!(
            text,
            "{}, commit {}: {} rounds of {} s for each line, in turn; generator with {} thread(s) on the same \
             machine. {} rows at the end.\n\n```sh\n{}\n```\n",
            bench.started_at,
            bench.commit.as_deref().unwrap_or("unknown"),
            options.rounds,
            options.seconds,
            options.threads,
            bench.rows_at_end,
            bench.command
        )?;
        writeln!(
            text,
            "{} CPUs ({}), {} MiB, kernel {}; PostgreSQL {} (fsync {}, synchronous_commit {}), PgBouncer {}; \
             {} fdatasync/s; CPU {:.0} % busy, {:.1} % stolen. pgbench: `-M prepared`, through PgBouncer \
             `-M {}`.\n",
            machine.cpus,
            machine.cpu_model,
            machine.memory_mib,
            machine.kernel,
            bench.database.version,
            bench.database.fsync,
            bench.database.synchronous_commit,
            bench.pooler,
            machine
                .fdatasync_per_second
                .map_or("?".to_owned(), |rate| format!("{rate:.0}")),
            bench.throttling.busy * 100.0,
            bench.throttling.steal * 100.0,
            if bench.pooler_mode.is_empty() {
                "-"
            } else {
                &bench.pooler_mode
            },
        )?;
        if let Some(note) = disturbance(bench) {
            writeln!(text, "**{note}**\n")?;
        }
        writeln!(text, "## Ratios\n\n{}", ratios(&bench.targets))?;
        if bench.series.iter().any(is_server) {
            writeln!(text, "![throughput]({picture})\n")?;
        }
        writeln!(
            text,
            "## Figures\n\n{}",
            figures(&bench.series.iter().collect::<Vec<_>>())
        )?;
        for state in &bench.searches {
            let series: Vec<&Series> = state.classes.iter().map(|class| &class.series).collect();
            writeln!(
                text,
                "## Searches by class: {}\n\n{}",
                state.table,
                figures(&series)
            )?;
            let checked: Vec<[String; 4]> = state
                .classes
                .iter()
                .map(|class| {
                    let (terms, words) = (class.terms.to_string(), class.checked.words());
                    [class.name.clone(), terms, words, String::new()]
                })
                .collect();
            writeln!(
                text,
                "Answers compared with the plain definition, id by id:\n\n{}",
                table(["Class", "Different terms", "Compared", ""], &checked)
            )?;
        }
        std::fmt::Result::Ok(())
    })();
    text
}

/// Throughput, latency and CPU time of each series.
fn figures(series: &[&Series]) -> String {
    let rows: Vec<[String; 10]> = series
        .iter()
        .map(|series| {
            let per_second = match series.unit {
                Unit::Requests => "requests/s",
                Unit::Rows => "rows/s",
            };
            let rate = series.spread(|sample| sample.rate);
            let time = |figure: fn(&super::sample::Sample) -> f64| {
                series.spread(figure).map_or_else(
                    || "-".to_owned(),
                    |s| {
                        let [a, b, c] = [s.median, s.min, s.max].map(|us| micros(us as u64));
                        format!("{a} ({b}–{c})")
                    },
                )
            };
            let cpu = |figure: fn(&super::sample::Sample) -> f64| match series.median(figure) {
                none if none < 0.05 => "-".to_owned(),
                micros => format!("{micros:.1}"),
            };
            [
                match series.failed() {
                    0 => format!("{}: {}", series.work, series.by),
                    failed => format!("{}: {} ({failed} FAILED)", series.work, series.by),
                },
                rate.map_or_else(
                    || "-".to_owned(),
                    |rate| {
                        format!(
                            "{} {per_second}",
                            spread(&rate, |value| format!("{value:.0}"))
                        )
                    },
                ),
                time(|sample| sample.p50_us),
                time(|sample| sample.p99_us),
                cpu(|sample| sample.cpu_us.server),
                cpu(|sample| sample.cpu_us.postgres),
                cpu(|sample| sample.cpu_us.pooler),
                cpu(|sample| sample.cpu_us.generator),
                format!("{:.2}", series.median(|sample| sample.generator_cores)),
                format!("{:.2}", series.median(|sample| sample.other_cores)),
            ]
        })
        .collect();
    let head = [
        "Work",
        "Rate: median (min–max)",
        "p50",
        "p99",
        "CPU us each: server",
        "PostgreSQL",
        "PgBouncer",
        "generator",
        "generator's cores",
        "others' cores",
    ];
    table(head, &rows)
}

fn spread(spread: &Spread, show: impl Fn(f64) -> String) -> String {
    let Spread { median, min, max } = *spread;
    format!("{} ({}–{})", show(median), show(min), show(max))
}

/// A table whose columns line up.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
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

/// What the server does, each number of connections a bar, beside its references.
fn picture(bench: &Bench) -> String {
    let shown = bench.series.iter().filter(|series| {
        is_server(series)
            || series.by.starts_with("hello")
            || series.by.starts_with("pgbench batches")
    });
    let drawn: Vec<Bar> = shown
        .filter_map(|series| {
            let rate = series.spread(|sample| sample.rate)?;
            Some(Bar {
                name: format!("{}: {}", series.work, series.by),
                value: rate.median,
                range: (rate.min, rate.max),
                is_reference: !is_server(series),
            })
        })
        .collect();
    bars(
        &drawn,
        "requests or rows per second; the line is the spread of the rounds",
    )
}
