//! The keys of a profile file, and what they rule out together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::arrivals::ArrivalSpec;
use super::like::written_out;
use super::threshold::Threshold;
use super::withheld::without_secrets;
use crate::files::InputFile;

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
    /// The files that it names.
    #[serde(skip)]
    pub files: Vec<InputFile>,
    /// The file's text, `like` resolved and secrets withheld, kept with the result so that it can be run again.
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
    /// Repeats after a 503, each when its `Retry-After` is over.
    pub retry: Option<RetrySpec>,
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

/// Repeats after a 503. A create is repeated with another warrior, so that the ledger tells the attempts apart. A 503
/// without a `Retry-After`, or with one that is longer than the profile's timeout, is not repeated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySpec {
    /// The row of the report that counts them: latency from the end of the `Retry-After`.
    pub name: String,
    /// Most repeats of one request.
    pub times: u32,
}

impl Profile {
    /// Reads a profile's text. Unknown keys, requests, metrics and contradictions are errors.
    pub fn parse(text: &str, directory: &Path) -> anyhow::Result<Profile> {
        let source = written_out(text)?.unwrap_or_else(|| text.to_owned());
        let mut profile: Profile = toml::from_str(&source)?;
        profile.directory = directory.to_owned();
        profile.source = without_secrets(&source)?.unwrap_or(source);
        profile.check()?;
        profile.read_files()?;
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

    /// Its name, with the divisor of its times where it has one.
    pub fn name_at(&self, speed: f64) -> String {
        name_at(&self.name, speed)
    }

    /// Whether a ledger belongs to it: creates of warriors are among its requests.
    pub fn creates(&self) -> bool {
        self.scenario.iter().any(ScenarioSpec::creates)
    }
}

impl ScenarioSpec {
    /// Whether its requests are creates of warriors.
    pub(super) fn creates(&self) -> bool {
        matches!(self.request.as_deref(), Some("create" | "create-valid"))
    }
}

/// The name of a profile, with the divisor of its times where it has one.
pub fn name_at(name: &str, speed: f64) -> String {
    if speed == 1.0 {
        name.to_owned()
    } else {
        format!("{name}, times divided by {speed}")
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
