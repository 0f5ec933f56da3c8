//! What the doctor looks at: the stack in a data folder, or the database that `serve` would use.
//!
//! `DATA_DIR`, and the variables of `serve` and `schema`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use warrior_stack::Database;

use super::database::{DatabaseArgs, OwnerArgs};
use super::environment::{is_given, typed};
use super::error::ConfigError;
use super::monitor::MonitorRoleArgs;
use super::private;
use super::server::{AdminArgs, DeadlineArgs, Listen};
use super::sizes::{Sizes, SizesArgs};

/// The folder of `up` where none is named.
const DATA: &str = "data";
/// Variables any of which says that a database is meant, and no folder.
const OF_A_DATABASE: [&str; 5] = [
    "POSTGRES_HOST",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
];

/// Flags of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
    /// A finding that is known and stays, by its name; it no longer counts. May be given again
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,
    /// Folder of the stack that `up` runs [default: data, if it holds one and no other database is named]
    #[arg(long, env = "DATA_DIR", value_name = "DATA_DIR")]
    pub(super) data: Option<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    #[command(flatten)]
    pub(super) owner: OwnerArgs,
    #[command(flatten)]
    pub(super) monitor: MonitorRoleArgs,
    #[command(flatten)]
    pub(super) sizes: SizesArgs,
    #[command(flatten)]
    pub(super) admin: AdminArgs,
    #[command(flatten)]
    pub(super) deadline: DeadlineArgs,
}

/// The logins to a database that is not the embedded stack's.
#[derive(Clone, Debug)]
pub struct NamedLogins {
    /// Where requests go.
    pub serving: Database,
    /// Directly, as the owner of the schema, or as the role that serves where no owner is configured.
    pub direct: Database,
    /// Directly, as the role that reads statistics.
    pub monitor: Option<Database>,
}

impl DoctorArgs {
    /// The folder of the embedded stack, where one is meant.
    pub fn data(&self) -> Option<&Path> {
        match &self.data {
            Some(data) => Some(data),
            None if OF_A_DATABASE.into_iter().any(is_given) || typed("POSTGRES_PORT").is_some() => {
                None
            }
            None => Some(Path::new(DATA)).filter(|data| warrior_stack::is_stack(data)),
        }
    }

    /// The logins, where no stack is meant.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is empty or given twice.
    pub fn logins(&self) -> Result<NamedLogins, ConfigError> {
        let monitor = self.monitor.login(&self.database)?;
        Ok(NamedLogins {
            serving: self.database.runtime()?,
            direct: self.owner.resolve(&self.database)?,
            monitor: monitor
                .map(|login| self.database.direct(login))
                .transpose()?,
        })
    }

    /// The sizes of the server as it is configured here.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn sizes(&self) -> Result<Sizes, ConfigError> {
        self.sizes.resolve()
    }

    /// The deadline of a request.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn deadline(&self) -> Result<Duration, ConfigError> {
        self.deadline.resolve()
    }

    /// The admin listener of the server.
    pub fn admin(&self) -> Listen {
        self.admin.resolve()
    }

    /// Whether somebody has said where that is.
    pub fn names_admin(&self) -> bool {
        ["ADMIN_HOST", "ADMIN_PORT"].into_iter().any(is_given)
    }

    /// The files of this configuration that hold secrets and that every user of the machine can read.
    pub fn open_secrets(&self) -> Vec<PathBuf> {
        private::open_files(&[
            "POSTGRES_PASSWORD",
            "POSTGRES_OWNER_PASSWORD",
            "POSTGRES_MONITOR_PASSWORD",
            "IDEMPOTENCY_SECRET",
        ])
    }

    /// Whether the secret of idempotency keys is configured, and not left to the one in the database.
    pub fn has_idempotency_secret(&self) -> bool {
        is_given("IDEMPOTENCY_SECRET") || is_given("IDEMPOTENCY_SECRET_FILE")
    }
}
