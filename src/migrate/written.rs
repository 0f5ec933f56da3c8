//! Days and times as DuckDB writes them, over its whole range, which is that of no calendar crate: 5,877,642 years before
//! Christ to 5,881,580 after, and infinity.

use crate::store::calendar::{self, DAYS_1970_TO_2000, MICROS_1970_TO_2000};

/// Whether a number of days is one of the two that stand for infinity.
pub(super) fn is_infinite_day(day: i32) -> bool {
    day.unsigned_abs() == i32::MAX.unsigned_abs()
}

/// Whether a number of microseconds is one of the two that stand for infinity.
pub(super) fn is_infinite_time(time: i64) -> bool {
    time.unsigned_abs() == i64::MAX.unsigned_abs()
}

/// A number of days since 1970-01-01.
pub(super) fn day(day: i32) -> String {
    match is_infinite_day(day) {
        true => infinity(day > 0),
        false => calendar::date(i64::from(day) - DAYS_1970_TO_2000).replace(" BC", " (BC)"),
    }
}

/// A number of microseconds since 1970-01-01 00:00 UTC.
pub(super) fn time(time: i64) -> String {
    if is_infinite_time(time) {
        return infinity(time > 0);
    }
    calendar::moment(time.saturating_sub(MICROS_1970_TO_2000))
        .replace('T', " ")
        .replace('Z', "+00")
        .replace(" BC", " (BC)")
}

fn infinity(positive: bool) -> String {
    match positive {
        true => "infinity".to_owned(),
        false => "-infinity".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_written_as_duckdb_writes_them() {
        for (number, text) in [
            (0, "1970-01-01"),
            (19_782, "2024-02-29"),
            (-719_162, "0001-01-01"),
            (-719_163, "0001-12-31 (BC)"),
            (2_932_897, "10000-01-01"),
            (i32::MAX - 1, "5881580-07-10"),
            (-i32::MAX + 1, "5877642-06-25 (BC)"),
            (i32::MAX, "infinity"),
            (-i32::MAX, "-infinity"),
        ] {
            assert_eq!(day(number), text);
        }
        assert_eq!(time(-1), "1969-12-31 23:59:59.999999+00");
        assert_eq!(
            time(-62_135_596_800_000_001),
            "0001-12-31 23:59:59.999999+00 (BC)"
        );
        assert_eq!(time(i64::MAX), "infinity");
        assert_eq!(time(-i64::MAX), "-infinity");
    }
}
