//! The table of the two schemas.

use warrior_load::output::micros;
use warrior_load::text_table::text_table;

use super::table::spread;
use crate::plain::BothSchemas;

/// One line for each work and class; empty without the plain schema.
pub(super) fn plain(both: &[BothSchemas]) -> String {
    if both.is_empty() {
        return String::new();
    }
    let head = [
        "Work",
        "Rate: plain / tuned",
        "p50: tuned, plain",
        "p99: tuned, plain",
        "PostgreSQL's CPU us each: tuned, plain",
        "PostgreSQL's CPU: plain / tuned",
        "Failed: tuned, plain",
    ];
    let rows: Vec<[String; 7]> = both.iter().map(row).collect();
    text_table(head, rows)
}

fn row(both: &BothSchemas) -> [String; 7] {
    let ratio = |value: f64| format!("{value:.2}");
    let pair = |pair: [Option<f64>; 2], write: fn(f64) -> String| {
        pair.map(|us| us.map_or_else(|| "-".to_owned(), write))
            .join(", ")
    };
    let times = |us: f64| micros(us as u64);
    [
        both.what.clone(),
        spread(&both.rate, ratio),
        pair(both.p50_us, times),
        pair(both.p99_us, times),
        pair(both.postgres_us, |us| format!("{us:.1}")),
        both.postgres
            .as_ref()
            .map_or_else(|| "-".to_owned(), |cpu| spread(cpu, ratio)),
        both.failed.map(|failed| failed.to_string()).join(", "),
    ]
}
