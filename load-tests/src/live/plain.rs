//! The plain view: a line a second, for logs and pipes.

use super::progress::Progress;
use crate::collect::sum;
use crate::output::{micros, say};

pub(super) fn print(progress: &Progress<'_>) {
    let Some(row) = progress.collected.seconds.get(progress.second) else {
        return;
    };
    let tally = sum(&row.tallies);
    let at = |quantile| micros(tally.latency.value_at_quantile(quantile));
    let mut line = format!(
        "{:>5} s  scheduled {:>6}  ok {:>6}  failed {:>4}  in flight {:>4}  p50 {:>9}  p99 {:>9}  p99.9 {:>9}",
        progress.second + 1,
        tally.scheduled,
        tally.succeeded(),
        tally.failed(),
        row.in_flight,
        at(0.5),
        at(0.99),
        at(0.999)
    );
    for (outcome, count) in tally
        .outcomes
        .iter()
        .filter(|(outcome, _)| !outcome.is_success())
    {
        line.push_str(&format!("  {outcome}: {count}"));
    }
    say(format_args!("{line}"));
}
