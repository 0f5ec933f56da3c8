//! The page of a bench, as Markdown.

use std::fmt::Write;

use warrior_load::output::micros;
use warrior_load::text_table::text_table;

use super::classes::classes;
use super::disturbance::disturbance;
use super::goals::goals;
use super::peers::peers;
use super::plain::plain;
use super::table::spread;
use crate::goals::is_server;
use crate::result::BenchResult;
use crate::sample::{Sample, Series, Unit};

/// The whole page; `picture` is the name of the file beside it.
pub(super) fn page(bench: &BenchResult, picture: &str) -> String {
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
        if !bench.goals.is_empty() {
            writeln!(text, "## Ratios\n\n{}", goals(&bench.goals))?;
        }
        if bench.series.iter().any(is_server) {
            writeln!(text, "![throughput]({picture})\n")?;
        }
        if !bench.peers.is_empty() {
            writeln!(text, "## Peers\n\n{}", peers(bench))?;
        }
        if !bench.plain.is_empty() {
            writeln!(text, "## Plain schema\n\n{}", plain(&bench.plain))?;
        }
        writeln!(
            text,
            "## Figures\n\n{}",
            figures(&bench.series.iter().collect::<Vec<_>>())
        )?;
        for state in &bench.searches {
            let series: Vec<&Series> = state
                .classes
                .iter()
                .flat_map(|class| {
                    [
                        Some(&class.series),
                        class.one_by_one.as_ref(),
                        class.plain.as_ref(),
                    ]
                })
                .flatten()
                .collect();
            writeln!(
                text,
                "## Searches by class: {}\n\n{}\n{}",
                state.table,
                classes(bench, state),
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
                text_table(["Class", "Different terms", "Compared", ""], checked)
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
            let time = |figure: fn(&Sample) -> f64| {
                series.spread(figure).map_or_else(
                    || "-".to_owned(),
                    |s| {
                        let [a, b, c] = [s.median, s.min, s.max].map(|us| micros(us as u64));
                        format!("{a} ({b}–{c})")
                    },
                )
            };
            let cpu = |figure: fn(&Sample) -> f64| match series.median(figure) {
                none if none < 0.05 => "-".to_owned(),
                micros => format!("{micros:.1}"),
            };
            [
                match series.failed() {
                    0 => format!("{}: {}", series.work, series.executor),
                    failed => format!("{}: {} ({failed} FAILED)", series.work, series.executor),
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
    text_table(head, rows)
}
