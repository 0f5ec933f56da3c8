//! The keys of a profile file, and what they rule out together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use serde::Deserialize;

use super::arrivals::ArrivalSpec;
use super::like::written_out;
use super::threshold::Threshold;

/// A profile file. With `like = "lab"`, the keys that the file does not write are those of that built-in
/// profile, except its name and its sentence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name of the profile, in reports.
    pub name: String,
    /// One sentence on what it is for.
    #[serde(default)]
    pub about: String,
    /// `shared` (kept-alive connections, the default) or `per-user`.
    #[serde(default)]
    pub connections: Connections,
    /// At most this many connections at once.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
    /// When a request without an answer is given up.
    #[serde(default = "timeout", deserialize_with = "super::duration::read")]
    pub timeout: Duration,
    /// One request in a hundred may begin this long after its moment; when more do, the run is
    /// INVALID.
    #[serde(default = "lateness_max", deserialize_with = "super::duration::read")]
    pub lateness_max: Duration,
    /// The first stretch of the run, sent but not measured.
    #[serde(default, deserialize_with = "super::duration::read")]
    pub warmup: Duration,
    /// Conditions that a passed run meets; `success >= 99%` when there is none.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Closed mode instead of the scenarios' arrivals.
    pub closed: Option<ClosedSpec>,
    /// Measures the capacity first, for arrivals that are given as multiples of it.
    pub capacity: Option<ClosedSpec>,
    /// The kinds of request, with their arrivals.
    pub scenario: Vec<ScenarioSpec>,
    /// Where the file is, for the files it names.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The file's text, `like` resolved, kept with the result so that it can be run again.
    #[serde(skip)]
    pub source: String,
}

/// How requests share connections.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// Kept-alive connections.
    #[default]
    Shared,
    /// One new connection per virtual user.
    PerUser,
}

/// Closed mode.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedSpec {
    /// How many connections.
    pub connections: usize,
    /// For how long.
    #[serde(rename = "for", deserialize_with = "super::duration::read")]
    pub length: Duration,
}

/// One scenario of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSpec {
    /// The row of the report.
    pub name: String,
    /// `create`, `create-valid`, `search`, `search-without-term`, `find` or `count`; absent for a
    /// request of one's own.
    pub request: Option<String>,
    /// Method of a request of one's own.
    pub method: Option<String>,
    /// Path and query of that request, with fields.
    pub path: Option<String>,
    /// Body of that request, with fields.
    pub body: Option<String>,
    /// Body of that request in a file, with fields.
    pub body_file: Option<PathBuf>,
    /// A file with one JSON object a line, whose keys are fields.
    pub fields_file: Option<PathBuf>,
    /// Headers of that request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The statuses that are success; any 2xx when absent.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// When requests arrive.
    #[serde(default)]
    pub arrivals: Vec<ArrivalSpec>,
    /// The share in closed mode.
    #[serde(default = "weight")]
    pub weight: u32,
    /// A GET of the `Location` after each 201.
    pub follow: Option<FollowSpec>,
}

/// A follow-up to each 201.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowSpec {
    /// The row of the report.
    pub name: String,
    /// The shortest pause before it.
    #[serde(deserialize_with = "super::duration::read")]
    pub after_min: Duration,
    /// The longest.
    #[serde(deserialize_with = "super::duration::read")]
    pub after_max: Duration,
}

impl Profile {
    /// Reads a profile's text. Unknown keys, requests, metrics and contradictions are errors.
    pub fn parse(text: &str, directory: &Path) -> anyhow::Result<Profile> {
        let source = written_out(text)?.unwrap_or_else(|| text.to_owned());
        let mut profile: Profile = toml::from_str(&source)?;
        profile.directory = directory.to_owned();
        profile.source = source;
        profile.check()?;
        Ok(profile)
    }

    /// The conditions of a pass: the profile's own thresholds, or `success >= 99%`.
    pub fn conditions(&self) -> Vec<Threshold> {
        if self.thresholds.is_empty() {
            vec![Threshold::answered()]
        } else {
            self.thresholds.clone()
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.scenario.is_empty(),
            "a profile needs at least one [[scenario]]"
        );
        let mut names: Vec<&str> = Vec::new();
        for scenario in &self.scenario {
            let follow = scenario.follow.as_ref().map(|follow| follow.name.as_str());
            for status in &scenario.expect {
                ensure!(
                    (100..=599).contains(status),
                    "scenario `{}` expects the status {status}, which no answer can have: want 100 to \
                     599",
                    scenario.name
                );
            }
            names.extend([Some(scenario.name.as_str()), follow].into_iter().flatten());
            ensure!(
                self.closed.is_some() || !scenario.arrivals.is_empty(),
                "scenario `{}` has no arrivals, and the profile is not [closed]",
                scenario.name
            );
            if let Some(follow) = &scenario.follow {
                ensure!(
                    follow.after_min <= follow.after_max,
                    "scenario `{}`: after_min is longer than after_max",
                    scenario.name
                );
            }
            for arrival in &scenario.arrivals {
                let of_capacity = arrival.of_capacity.is_some();
                ensure!(
                    !of_capacity || self.capacity.is_some(),
                    "scenario `{}` gives a rate `of_capacity`: the profile needs [capacity]",
                    scenario.name
                );
            }
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

fn timeout() -> Duration {
    Duration::from_secs(10)
}

fn lateness_max() -> Duration {
    Duration::from_millis(5)
}

fn connections_max() -> usize {
    10_000
}

fn weight() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert!(wrong(&text).contains(word), "{text}: {}", wrong(&text));
        }
    }
}
