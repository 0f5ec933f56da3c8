//! A service level objective: thresholds with commas between them, as in `p99 < 50ms, success >= 99.9%`.

use anyhow::{Context, ensure};

use super::spec::Profile;
use super::threshold::{Metric, Threshold};

/// Reads an objective. That nothing acknowledged is lost is part of every one, and need not be said.
///
/// # Errors
/// Names the condition that is wrong.
pub fn parse_slo(text: &str) -> anyhow::Result<Vec<Threshold>> {
    let mut conditions = Vec::new();
    for part in text.split(',') {
        let condition = Threshold::try_from(part.trim().to_owned())
            .with_context(|| format!("--slo `{text}`: want conditions with commas between them"))?;
        ensure!(
            condition.metric != Metric::Rate,
            "--slo `{text}`: the rate is what is looked for; want conditions such as p99 < 50ms or success >= 99.9%"
        );
        if condition.metric != Metric::Lost {
            conditions.push(condition);
        }
    }
    ensure!(
        !conditions.is_empty(),
        "--slo `{text}` holds at any rate; want a condition such as p99 < 50ms"
    );
    Ok(conditions)
}

impl Profile {
    /// The profile with an objective instead of its thresholds.
    ///
    /// # Errors
    /// When a condition is about a row that the profile does not have.
    pub fn with_slo(mut self, slo: Vec<Threshold>) -> anyhow::Result<Profile> {
        self.thresholds = slo;
        self.check()?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_with_commas_between_them() {
        let slo = parse_slo("p99 < 50ms, success >= 99.9%,lost == 0").expect("valid");
        let texts: Vec<String> = slo.iter().map(Threshold::to_string).collect();
        assert_eq!(texts, ["p99 < 50ms", "success >= 99.9%"]);
        let profile = Profile::load("steady-200").expect("built in");
        let of_a_row = parse_slo("create.p99 < 1s").expect("valid");
        assert!(profile.clone().with_slo(of_a_row).is_ok());
        let of_no_row = parse_slo("creat.p99 < 1s").expect("valid so far");
        let error = profile.with_slo(of_no_row).expect_err("no such row");
        assert!(format!("{error:#}").contains("creat"), "{error:#}");
    }

    #[test]
    fn what_no_rate_can_hold_or_any_holds_is_an_error() {
        for (text, word) in [
            ("p99 < 50", "duration"),
            ("", "conditions with commas"),
            ("p99 < 50ms,", "conditions with commas"),
            ("rate > 100", "rate is what"),
            ("lost == 0", "holds at any rate"),
        ] {
            let error = parse_slo(text).expect_err(text);
            assert!(format!("{error:#}").contains(word), "{text}: {error:#}");
        }
    }
}
