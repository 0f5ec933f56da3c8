//! Days and times as DuckDB writes them, over its whole range, which is that of no calendar crate: 5,877,642 years before
//! Christ to 5,881,580 after, and infinity.

const MICROSECONDS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01, and days of the 400 years after which the calendar repeats itself.
const DAYS_BEFORE_1970: i64 = 719_468;
const DAYS_OF_400_YEARS: i64 = 146_097;

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
        false => {
            let (date, era) = date(i64::from(day));
            format!("{date}{era}")
        }
    }
}

/// A number of microseconds since 1970-01-01 00:00 UTC.
pub(super) fn time(time: i64) -> String {
    if is_infinite_time(time) {
        return infinity(time > 0);
    }
    let (seconds, micros) = (
        time.div_euclid(MICROSECONDS_A_SECOND),
        time.rem_euclid(MICROSECONDS_A_SECOND),
    );
    let (date, era) = date(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{date} {hour:02}:{minute:02}:{second:02}.{micros:06}+00{era}")
}

fn infinity(positive: bool) -> String {
    match positive {
        true => "infinity".to_owned(),
        false => "-infinity".to_owned(),
    }
}

/// The proleptic Gregorian date: years begin in March, so that the leap day is the last of its year.
fn date(days: i64) -> (String, &'static str) {
    let shifted = days + DAYS_BEFORE_1970;
    let era = shifted.div_euclid(DAYS_OF_400_YEARS);
    let day = shifted.rem_euclid(DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = match month {
        month if month < 10 => (month + 3, 0),
        month => (month - 9, 1),
    };
    match year + 400 * era + carry {
        year if year > 0 => (format!("{year:04}-{month:02}-{day:02}"), ""),
        year => (format!("{:04}-{month:02}-{day:02}", 1 - year), " (BC)"),
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
        assert_eq!(time(i64::MAX), "infinity");
        assert_eq!(time(-i64::MAX), "-infinity");
    }
}
