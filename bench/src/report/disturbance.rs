//! Disturbance by whatever else ran on the machine.

use super::table::spread;
use crate::result::BenchResult;
use crate::sample::Spread;

/// Bounds the share of the machine that other programs and the kernel may use. The kernel alone, working
/// for the network and the disk, uses less.
const OTHERS_SHARE_MAX: f64 = 0.15;

/// A note with the median of what else ran, when that was enough to disturb.
pub(super) fn disturbance(bench: &BenchResult) -> Option<String> {
    let classes = bench.searches.iter().flat_map(|state| &state.classes);
    let series = bench
        .series
        .iter()
        .chain(classes.map(|class| &class.series));
    let samples = series.flat_map(|series| &series.samples);
    let others = Spread::of(samples.map(|sample| sample.other_cores))?;
    let share = others.median / bench.machine.cpus.max(1) as f64;
    (share > OTHERS_SHARE_MAX).then(|| {
        format!(
            "DISTURBED: other programs and the kernel used {} of {} cores; on a quiet machine the figures \
             would be others.",
            spread(&others, |cores| format!("{cores:.2}")),
            bench.machine.cpus
        )
    })
}
