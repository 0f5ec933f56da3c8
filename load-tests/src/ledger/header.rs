//! The header, a ledger's first line: the run that the lines after it belong to.

use serde::{Deserialize, Serialize};

/// The version of the format, in the first line.
pub(super) const FORMAT: u32 = 1;

/// The first line: what the lines after it belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub ledger: u32,
    /// The run's id.
    pub run: String,
    /// Where the requests went.
    pub target: String,
    /// When the run began, by the generator's clock, in seconds since 1970.
    pub started_at: i64,
    /// `GET /counting-warriors` before the run; `null` when the target has no such endpoint.
    pub count_before: Option<u64>,
    /// The database's clock before the run, in the same seconds; absent without access to it.
    #[serde(default)]
    pub database_clock: Option<f64>,
}

/// How far the database's clock may be behind the generator's when it was not asked.
const CLOCK_SKEW_SECONDS: f64 = 5.0;

impl Header {
    /// The header of a run's ledger.
    pub fn new(run: &str, target: &str, count_before: Option<u64>) -> Header {
        let (run, target) = (run.to_owned(), target.to_owned());
        let started_at = chrono::Utc::now().timestamp();
        Header {
            ledger: FORMAT,
            run,
            target,
            started_at,
            count_before,
            database_clock: None,
        }
    }

    /// No row of the run was made before this moment of the database's clock. A row of an earlier
    /// run with the same seed was, if that clock was asked.
    pub fn since(&self) -> f64 {
        let guess = self.started_at as f64 - CLOCK_SKEW_SECONDS;
        self.database_clock.unwrap_or(guess)
    }
}
