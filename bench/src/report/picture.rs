//! Throughput as a picture.

use warrior_load::report::{Bar, bars};

use crate::goals::is_server;
use crate::result::BenchResult;

/// Throughput of the server, each number of connections a bar, beside its references.
pub(super) fn picture(bench: &BenchResult) -> String {
    let shown = bench.series.iter().filter(|series| {
        is_server(series)
            || series.executor.starts_with("hello")
            || series.executor.starts_with("pgbench batches")
            || bench.peers.iter().any(|with| with.peer == series.executor)
    });
    let drawn: Vec<Bar> = shown
        .filter_map(|series| {
            let rate = series.spread(|sample| sample.rate)?;
            Some(Bar {
                name: format!("{}: {}", series.work, series.executor),
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
