//! The table of peers: each beside the server, which did the same in the same rounds.

use warrior_load::output::micros;
use warrior_load::text_table::text_table;

use super::goals::verdict;
use super::table::spread;
use crate::goals::{Comparison, without_generator};
use crate::result::BenchResult;
use crate::sample::{Sample, Series};

/// One line for each work and peer; empty without peers.
pub(super) fn peers(bench: &BenchResult) -> String {
    if bench.peers.is_empty() {
        return String::new();
    }
    let head = [
        "Work: peer",
        "Rate: ours / peer",
        "Aim",
        "",
        "p50: ours, peer",
        "p99: ours, peer",
        "CPU us each: ours, peer",
        "CPU: ours / peer",
    ];
    let rows: Vec<[String; 8]> = bench
        .peers
        .iter()
        .filter_map(|comparison| row(bench, comparison))
        .collect();
    text_table(head, rows)
}

fn row(bench: &BenchResult, comparison: &Comparison) -> Option<[String; 8]> {
    let find = |executor: &str| {
        let mut all = bench.series.iter();
        all.find(|series| series.work == comparison.work && series.executor == executor)
    };
    let both = [find(&comparison.server)?, find(&comparison.peer)?];
    let pair = |show: &dyn Fn(&Series) -> String| both.map(show).join(", ");
    let time = |figure: fn(&Sample) -> f64| pair(&|series| micros(series.median(figure) as u64));
    let ratio = |value: f64| format!("{value:.2}");
    Some([
        format!("{}: {}", comparison.work, comparison.peer),
        spread(&comparison.rate.measured, ratio),
        comparison.rate.wanted.clone(),
        verdict(&comparison.rate),
        time(|sample| sample.p50_us),
        time(|sample| sample.p99_us),
        pair(&|series| format!("{:.1}", series.median(|s| without_generator(s.cpu_us)))),
        comparison
            .cpu
            .as_ref()
            .map_or_else(|| "-".to_owned(), |cpu| spread(cpu, ratio)),
    ])
}
