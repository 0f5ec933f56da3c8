//! What the keys of a profile rule out together. A key without effect is an error, since whoever wrote it believes in
//! one.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::spec::{Connections, Profile, ScenarioSpec};

/// The shortest timeout that can be kept: timers have a resolution of a millisecond.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

impl Profile {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.scenario.is_empty(),
            "a profile needs at least one [[scenario]]"
        );
        ensure!(
            self.timeout >= TIMEOUT_MIN,
            "timeout = {:?} cannot be kept; want 1ms or more",
            self.timeout
        );
        ensure!(
            self.closed.is_none() || self.connections == Connections::Shared,
            "connections = \"per-user\" has no effect in a [closed] profile, whose connections are its users"
        );
        let of_capacity = |spec: &ScenarioSpec| {
            let mut arrivals = spec.arrivals.iter();
            arrivals.any(|arrival| arrival.of_capacity.is_some())
        };
        ensure!(
            self.capacity.is_none() || self.scenario.iter().any(of_capacity),
            "[capacity] has no effect: no arrivals have a rate `of_capacity`"
        );
        for scenario in &self.scenario {
            self.check_arrivals(scenario)
                .and_then(|()| check_request(scenario))
                .with_context(|| format!("scenario `{}`", scenario.name))?;
        }
        self.check_names()
    }

    fn check_arrivals(&self, scenario: &ScenarioSpec) -> anyhow::Result<()> {
        match (&self.closed, scenario.arrivals.is_empty()) {
            (None, true) => bail!("it has no arrivals, and the profile is not [closed]"),
            (Some(_), false) => bail!("its arrivals have no effect in a [closed] profile"),
            _ => {}
        }
        if let Some(retry) = &scenario.retry {
            ensure!(
                self.closed.is_none(),
                "`retry` has no effect in a [closed] profile, whose connections ask again at once"
            );
            ensure!(retry.times > 0, "`retry` has no effect with times = 0");
        }
        for arrival in &scenario.arrivals {
            ensure!(
                arrival.of_capacity.is_none() || self.capacity.is_some(),
                "it gives a rate `of_capacity`: the profile needs [capacity]"
            );
        }
        Ok(())
    }

    /// Rows of the report have names of their own, and thresholds are about rows that there are.
    fn check_names(&self) -> anyhow::Result<()> {
        let mut names: Vec<&str> = Vec::new();
        for scenario in &self.scenario {
            let follow = scenario.follow.as_ref().map(|follow| follow.name.as_str());
            let retry = scenario.retry.as_ref().map(|retry| retry.name.as_str());
            let rows = [Some(scenario.name.as_str()), follow, retry];
            names.extend(rows.into_iter().flatten());
        }
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        ensure!(
            sorted.len() == names.len(),
            "two rows of the report share a name: {names:?}"
        );
        for threshold in &self.thresholds {
            if let Some(endpoint) = &threshold.endpoint {
                ensure!(
                    names.contains(&endpoint.as_str()),
                    "threshold `{threshold}` is about `{endpoint}`, but there is only {names:?}"
                );
            }
        }
        Ok(())
    }
}

fn check_request(scenario: &ScenarioSpec) -> anyhow::Result<()> {
    for status in &scenario.expect {
        ensure!(
            (100..=599).contains(status),
            "it expects the status {status}, which no answer can have: want 100 to 599"
        );
    }
    if let Some(follow) = &scenario.follow {
        ensure!(
            scenario.creates(),
            "`follow` reads back what was created, and has no effect without `request = \"create\"` or \
             `\"create-valid\"`"
        );
        ensure!(
            follow.after_min <= follow.after_max,
            "after_min is longer than after_max"
        );
    }
    ensure!(
        scenario.body.is_none() || scenario.body_file.is_none(),
        "`body` and `body_file` exclude each other"
    );
    let Some(request) = &scenario.request else {
        return Ok(());
    };
    let of_ones_own = [
        ("method", scenario.method.is_some()),
        ("path", scenario.path.is_some()),
        ("body", scenario.body.is_some()),
        ("body_file", scenario.body_file.is_some()),
        ("fields_file", scenario.fields_file.is_some()),
        ("headers", !scenario.headers.is_empty()),
        ("expect", !scenario.expect.is_empty()),
    ];
    for (key, given) in of_ones_own {
        ensure!(
            !given,
            "`{key}` belongs to a request of one's own and has no effect beside request = \"{request}\""
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| {
            let error = Profile::parse(text, Path::new(".")).expect_err(text);
            format!("{error:#}")
        };
        let scenario = "[[scenario]]\nname='a'\nrequest='count'\narrivals=[{rate=1,for='1s'}]\n";
        for (text, word) in [
            (
                format!("name='x'\nthresholds=['p98x < 1ms']\n{scenario}"),
                "p98x",
            ),
            (
                format!("name='x'\nthresholds=['b.p99 < 1ms']\n{scenario}"),
                "`b`",
            ),
            (
                format!("name='x'\nthresholds=['p99 < 1']\n{scenario}"),
                "duration",
            ),
            (format!("name='x'\ntimout='1s'\n{scenario}"), "timout"),
            (format!("name='x'\ntimeout='soon'\n{scenario}"), "soon"),
            (format!("name='x'\n{scenario}{scenario}"), "share a name"),
            ("name='x'\nscenario=[]".to_owned(), "at least one"),
            (
                "name='x'\n[[scenario]]\nname='a'\nrequest='count'".to_owned(),
                "no arrivals",
            ),
            (format!("name='x'\ntimeout='0s'\n{scenario}"), "1ms or more"),
            (
                format!("name='x'\nclosed={{connections=1,for='1s'}}\n{scenario}"),
                "arrivals have no effect",
            ),
            (
                format!("name='x'\ncapacity={{connections=1,for='1s'}}\n{scenario}"),
                "[capacity] has no effect",
            ),
            (
                format!("name='x'\n{scenario}follow={{name='f',after_min='1s',after_max='1s'}}"),
                "`follow`",
            ),
            (format!("name='x'\n{scenario}expect=[201]"), "`expect`"),
            (
                format!("name='x'\n{scenario}retry={{name='a',times=1}}"),
                "share a name",
            ),
            (
                format!("name='x'\n{scenario}retry={{name='b',times=0}}"),
                "`retry`",
            ),
            (
                format!("name='x'\n{scenario}headers={{A='b'}}"),
                "`headers`",
            ),
            (format!("name='x'\n{scenario}body_file='b'"), "`body_file`"),
        ] {
            assert!(wrong(&text).contains(word), "{text}: {}", wrong(&text));
        }
    }
}
