//! Numbers as people read them.

/// A number of things, to one decimal place below ten.
pub(super) fn count(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    match rounded < 10.0 && rounded.fract() != 0.0 {
        true => format!("{rounded:.1}"),
        false => format!("{number:.0}"),
    }
}

/// A number of things by their name, whose plural ends in s.
pub(super) fn times(number: f64, thing: &str) -> String {
    let number = count(number);
    match number.as_str() {
        "1" => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// What a number of things does, by the verb for one and for many: "1 client waits", "62 clients wait".
pub(super) fn doing(number: f64, thing: &str, one: &str, many: &str) -> String {
    let things = times(number, thing);
    let verb = if things.starts_with("1 ") { one } else { many };
    format!("{things} {verb}")
}

/// A time in seconds, in the unit that suits it.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.0095 => format!("{:.1} ms", s * 1e3),
        s if s < 0.095 => format!("{:.0} ms", s * 1e3),
        s if s < 9.5 => format!("{s:.1} s"),
        s => format!("{s:.0} s"),
    }
}

/// A share of one.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_are_read_with() {
        assert_eq!(
            [0.0, 0.04, 0.96, 1.0, 1.25, 9.97, 61.7].map(count),
            ["0", "0", "1", "1", "1.3", "10", "62"]
        );
        assert_eq!(times(1.0, "client"), "1 client");
        assert_eq!(times(0.4, "client"), "0.4 clients");
        assert_eq!(doing(1.02, "client", "waits", "wait"), "1 client waits");
        assert_eq!(doing(61.7, "client", "waits", "wait"), "62 clients wait");
        assert_eq!(
            [0.0004, 0.0123, 0.4, 1.0, 40.2].map(seconds),
            ["0.4 ms", "12 ms", "0.4 s", "1.0 s", "40 s"]
        );
        assert_eq!(percent(0.998), "100 %");
    }
}
