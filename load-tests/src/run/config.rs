//! The configuration of a run: everything that is decided before a request is sent.

use std::path::PathBuf;

use crate::database::DatabaseAccess;
use crate::profile::{Overrides, Profile};
use crate::target::Target;

/// One run: its load, its target, and where its results go.
pub struct RunConfig {
    /// The scenarios, their arrivals and the thresholds.
    pub profile: Profile,
    /// The server that is asked.
    pub target: Target,
    /// Choices of the command line, which go before those of the profile.
    pub overrides: Overrides,
    /// Where ledger and results go.
    pub directory: PathBuf,
    /// Direct access to the database.
    pub database: Option<DatabaseAccess>,
    /// Verify the ledger even if no threshold asks for it.
    pub verify: bool,
    /// Where the server's `/metrics` are.
    pub admin: Option<Target>,
    /// A directory on the database's disk, for `pg_test_fsync`.
    pub fsync_directory: Option<PathBuf>,
}
