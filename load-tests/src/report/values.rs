//! Values as a report writes them.

use crate::output::{micros, one_line};
use crate::profile::{Unit, name_at};
use crate::result::{Judged, Setup};

/// The name of a profile, with the divisor of its times where it has one.
pub(super) fn profile_name(setup: &Setup) -> String {
    one_line(&name_at(&setup.profile, setup.speed))
}

/// A text as code within a line of Markdown, which a backtick would end.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}

/// A measured figure in the unit of its threshold. Where rounding would make a figure read like its limit,
/// so that a missed threshold looked met, the figure has all its digits.
pub(super) fn figure(judged: &Judged) -> String {
    let Some(figure) = judged.figure else {
        return "nothing".to_owned();
    };
    let rounded = rounded(judged.unit, figure);
    if figure != judged.limit && rounded == self::rounded(judged.unit, judged.limit) {
        unrounded(judged.unit, figure)
    } else {
        rounded
    }
}

fn rounded(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Microseconds => micros(value as u64),
        Unit::Share => share(value),
        // One request in an hour is 0.0003 a second.
        Unit::PerSecond => trimmed(format!("{value:.4}")),
        Unit::Requests => value.to_string(),
    }
}

fn unrounded(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Microseconds => format!("{value} us"),
        Unit::Share => trimmed(format!("{:.8}", value * 100.0)) + " %",
        Unit::PerSecond | Unit::Requests => value.to_string(),
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
    trimmed(format!("{percent:.2}")) + " %"
}

/// A number with a decimal point, without the zeros at its end.
fn trimmed(number: String) -> String {
    number
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// Halves of a small axis are not whole numbers.
pub(super) fn show_count(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

pub(super) fn show_rate(value: f64) -> String {
    show_count(value) + "/s"
}

/// Labels of an axis are powers of ten, which `micros` would write with digits; values between have theirs.
pub(super) fn show_micros(value: f64) -> String {
    let value = value.round();
    match value {
        1e3 | 1e4 | 1e5 => format!("{:.0} ms", value / 1e3),
        1e6 | 1e7 | 1e8 => format!("{:.0} s", value / 1e6),
        _ => micros(value as u64),
    }
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
    fn code_stays_on_its_line_and_within_its_marks() {
        assert_eq!(code("a\r\n# b`c\u{2028}d\u{85}"), "`a  # b'c d `");
    }

    #[test]
    fn a_figure_reads_in_the_unit_of_its_threshold() {
        for (unit, limit, figure, text) in [
            (Unit::Microseconds, 50e3, 61_000.0, "61.0 ms"),
            (Unit::Microseconds, 60e6, 90e6, "90.00 s"),
            (Unit::Share, 0.0, 1e-7, "0.0001 %"),
            (Unit::Share, 0.0, 0.0, "0 %"),
            (Unit::Share, 0.999, 0.42, "42 %"),
            (Unit::PerSecond, 0.5, 0.4, "0.4"),
            (Unit::PerSecond, 0.5, 1.0 / 3600.0, "0.0003"),
            (Unit::PerSecond, 200.0, 199.97, "199.97"),
            (Unit::PerSecond, 0.5, 2400.0, "2400"),
            (Unit::Requests, 0.0, 3.0, "3"),
            (Unit::Requests, 0.0, 100.0, "100"),
        ] {
            assert_eq!(shown(unit, limit, Some(figure)), text);
        }
        assert_eq!(shown(Unit::Requests, 0.0, None), "nothing");
    }

    #[test]
    fn no_missed_figure_reads_like_its_limit() {
        for (unit, limit, figure, text) in [
            (Unit::Microseconds, 50e3, 50_012.0, "50012 us"),
            (Unit::Microseconds, 50e3, 50_000.25, "50000.25 us"),
            (Unit::Share, 0.9999, 0.999_896, "99.9896 %"),
            (Unit::Share, 1.0, 1.0 - 1e-8, "99.9999 %"),
            (Unit::PerSecond, 200.0, 199.999_99, "199.99999"),
            (Unit::Requests, 0.25, 0.0, "0"),
        ] {
            assert_eq!(shown(unit, limit, Some(figure)), text);
            assert_ne!(text, rounded(unit, limit));
        }
    }

    fn shown(unit: Unit, limit: f64, value: Option<f64>) -> String {
        figure(&Judged {
            threshold: String::new(),
            unit,
            limit,
            figure: value,
            met: false,
        })
    }
}
