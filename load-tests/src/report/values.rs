//! Values as a report writes them.

use crate::output::micros;
use crate::result::Judged;

/// A measured figure in the unit of its threshold.
pub(super) fn figure(judged: &Judged) -> String {
    let Some(figure) = judged.figure else {
        return "nothing".to_owned();
    };
    let limit = judged
        .threshold
        .split_whitespace()
        .last()
        .unwrap_or_default();
    if limit.ends_with('%') {
        share(figure)
    } else if limit.parse::<f64>().is_ok() {
        format!("{figure:.0}")
    } else {
        micros(figure as u64)
    }
}

/// A share as a percentage that never rounds a failure away.
pub(super) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if share < 1.0 && percent > 99.99 {
        // Four digits would round one failure in two million away.
        return format!("{:.4} %", percent.min(99.9999));
    }
    if share > 0.0 && percent < 0.01 {
        return format!("{:.4} %", percent.max(0.0001));
    }
    let text = format!("{percent:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_rounds_a_failure_or_a_success_away() {
        for (value, text) in [
            (1.0, "100 %"),
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.99995, "99.9950 %"),
            (1.0 - 1e-8, "99.9999 %"),
            (1e-8, "0.0001 %"),
            (0.00005, "0.0050 %"),
        ] {
            assert_eq!(share(value), text);
        }
    }

    #[test]
    fn a_figure_reads_in_the_unit_of_its_limit() {
        let shown = |threshold: &str, value| {
            figure(&Judged {
                threshold: threshold.to_owned(),
                figure: Some(value),
                met: false,
            })
        };
        assert_eq!(shown("p99 < 50ms", 61_000.0), "61.0 ms");
        assert_eq!(shown("max < 1m", 90e6), "90.00 s");
        assert_eq!(shown("errors == 0%", 1e-7), "0.0001 %");
        assert_eq!(shown("lost == 0", 3.0), "3");
    }
}
