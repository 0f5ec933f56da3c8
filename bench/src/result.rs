//! The result of a bench, as JSON and as what its pages are made of.

use serde::Serialize;
use warrior_load::database::DatabaseFacts;
use warrior_load::machine::{Machine, Throttling};

use crate::goals::{ClassGoals, Comparison, Goal};
use crate::options::BenchOptions;
use crate::plain::BothSchemas;
use crate::sample::Series;
use crate::searches::Searches;

/// Everything that a bench found.
#[derive(Clone, Debug, Serialize)]
pub struct BenchResult {
    /// When it began.
    pub started_at: String,
    /// The command that gives it again.
    pub command: String,
    /// The commit, and whether the tree differed from it.
    pub commit: Option<String>,
    /// The options of the run.
    pub options: BenchOptions,
    /// The machine.
    pub machine: Machine,
    /// CPU time that the machine withheld meanwhile.
    pub throttling: Throttling,
    /// PostgreSQL and its settings.
    pub database: DatabaseFacts,
    /// PgBouncer's version.
    pub pooler: String,
    /// How pgbench sent statements through PgBouncer.
    pub pooler_mode: String,
    /// Rows in the table at the end.
    pub rows_at_end: u64,
    /// The samples of every measurement.
    pub series: Vec<Series>,
    /// The searches by class, and the comparison of their answers.
    pub searches: Vec<Searches>,
    /// The goals, and whether they were met.
    pub goals: Vec<Goal>,
    /// The server beside each peer.
    pub peers: Vec<Comparison>,
    /// The server's schema beside the plain one.
    pub plain: Vec<BothSchemas>,
    /// The goals of searches, class by class.
    pub class_goals: Vec<ClassGoals>,
}
