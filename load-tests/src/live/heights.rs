//! The heights of the parts of the full-screen view.

use super::progress::Progress;

/// The least height of a history: its frame and two lines.
const HISTORY_MIN: u16 = 4;
/// The height of a history where there is room.
const HISTORY_MAX: u16 = 6;

/// The heights of the parts from top to bottom. What says whether the run passes goes before histories and gauges: on
/// a low terminal these are left out whole.
pub(super) fn heights(screen: u16, progress: &Progress<'_>) -> [u16; 7] {
    let framed = |lines: usize| u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let conditions = framed(progress.conditions.len());
    // Its head and the row of all endpoints together.
    let table = framed(progress.plan.endpoints.len() + 2);
    let mut left = screen.saturating_sub(1 + conditions + table);
    let mut take = |wanted: u16, least: u16| {
        let height = if left >= least { wanted.min(left) } else { 0 };
        left -= height;
        height
    };
    let errors = take(framed(1), 3);
    let (rate, latency) = (
        take(HISTORY_MIN, HISTORY_MIN),
        take(HISTORY_MIN, HISTORY_MIN),
    );
    let gauges = match progress.gauges.len() {
        0 => 0,
        gauges => take(framed(gauges), 3),
    };
    let more = |height: u16| {
        if height == 0 {
            0
        } else {
            HISTORY_MAX - HISTORY_MIN
        }
    };
    let (rate, latency) = (rate + take(more(rate), 0), latency + take(more(latency), 0));
    [1, conditions, table, errors + left, rate, latency, gauges]
}
