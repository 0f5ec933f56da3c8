//! Dates and moments, written as PostgreSQL's `to_json` writes them, with `Z` for the zone. The calendar is ours, since
//! chrono cannot hold the whole range of the databases.

/// How a date and a moment after all others are written.
pub(super) const INFINITY: &str = "infinity";
/// The same before all others.
pub(super) const MINUS_INFINITY: &str = "-infinity";
/// Days from the day that DuckDB counts from to PostgreSQL's.
#[cfg(feature = "duckdb")]
pub(crate) const DAYS_1970_TO_2000: i64 = 10_957;
pub(crate) const MICROS_IN_DAY: i64 = 86_400_000_000;
/// The same in microseconds.
#[cfg(feature = "duckdb")]
pub(crate) const MICROS_1970_TO_2000: i64 = DAYS_1970_TO_2000 * MICROS_IN_DAY;
/// Days from 0000-03-01, where the arithmetic below begins, to 2000-01-01, where PostgreSQL's does.
const DAYS_TO_2000: i64 = 730_425;
/// The same day comes again in the Gregorian calendar after 400 years.
const DAYS_IN_400_YEARS: i64 = 146_097;
const BEFORE_CHRIST: &str = " BC";

/// The date this many days after 2000-01-01: `1985-03-12`, `0044-03-15 BC`.
pub(crate) fn date(days: i64) -> String {
    let mut text = String::with_capacity(10);
    let era = write_day(&mut text, days);
    text + era
}

/// The moment this many microseconds after 2000-01-01 in UTC: `2020-02-03T04:05:06.789Z`, `0044-03-15T12:00:00Z BC`.
pub(crate) fn moment(micros: i64) -> String {
    let mut text = String::with_capacity(27);
    let era = write_day(&mut text, micros.div_euclid(MICROS_IN_DAY));
    write_time(&mut text, micros.rem_euclid(MICROS_IN_DAY));
    text + "Z" + era
}

/// Writes a day, counted from 2000-01-01, and gives what belongs after it and its time. Years begin in
/// March here, so that the leap day is the last of its year; the way is Howard Hinnant's
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn write_day(text: &mut String, days: i64) -> &'static str {
    let days = days + DAYS_TO_2000;
    let day_of_era = days.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let (month, after_december) = match from_march {
        0..10 => (from_march + 3, 0),
        _ => (from_march - 9, 1),
    };
    let year = days.div_euclid(DAYS_IN_400_YEARS) * 400 + year_of_era + after_december;
    // There is no year 0: before 1 comes 1 BC.
    let (written, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, BEFORE_CHRIST)
    };
    write_padded(text, written, 4);
    text.push('-');
    write_padded(text, month, 2);
    text.push('-');
    write_padded(text, day, 2);
    era
}

/// `T04:05:06.789`, without zeros at the end of the fraction.
fn write_time(text: &mut String, micros: i64) {
    let seconds = micros / 1_000_000;
    for (mark, part) in [
        ('T', seconds / 3_600),
        (':', seconds / 60 % 60),
        (':', seconds % 60),
    ] {
        text.push(mark);
        write_padded(text, part, 2);
    }
    let fraction = micros % 1_000_000;
    if fraction > 0 {
        text.push('.');
        write_padded(text, fraction, 6);
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Writes a number that is not negative with at least `width` digits. The machinery of `format!` takes ten
/// times as long, five times a row.
fn write_padded(text: &mut String, number: i64, width: u32) {
    let mut unit = 10_i64.pow(width - 1);
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        // One digit: it fits.
        text.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
}
