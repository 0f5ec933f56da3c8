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
    let times = |pair: [f64; 2]| pair.map(|us| micros(us as u64)).join(", ");
    [
        both.what.clone(),
        spread(&both.rate, ratio),
        times(both.p50_us),
        times(both.p99_us),
        both.postgres_us.map(|us| format!("{us:.1}")).join(", "),
        both.postgres
            .as_ref()
            .map_or_else(|| "-".to_owned(), |cpu| spread(cpu, ratio)),
        both.failed.map(|failed| failed.to_string()).join(", "),
    ]
}
