//! The flags of `schema`.

use clap::{Args, Subcommand};
use warrior_stack::Database;

use super::database::{DatabaseArgs, OwnerArgs};
use super::error::ConfigError;

/// Flags of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to do with the schema
    #[command(subcommand)]
    pub action: SchemaAction,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    #[command(flatten)]
    pub(super) owner: OwnerArgs,
}

/// The actions of `schema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum SchemaAction {
    /// Bring the database to this program's schema, adopting an existing table
    Apply {
        /// The plain schema instead: one table, ordinary indexes, no triggers and no functions, for any engine that
        /// speaks PostgreSQL; it adopts no table
        #[arg(long)]
        plain: bool,
        /// With --plain: spread the table over the workers of Citus, by id
        #[arg(long, requires = "plain")]
        distribute: bool,
    },
    /// Say which version the database has and which this program needs; exit status 1: not current, or not in order
    Status,
    /// Print the SQL that apply would run, for review; needs no database
    Print {
        /// That of the plain schema
        #[arg(long)]
        plain: bool,
    },
    /// Count the warriors again and rebuild what search keeps beside them
    Recount,
}

impl SchemaArgs {
    /// The direct connection, as the owner of the schema: POSTGRES_OWNER, or one role for everything where
    /// no other is configured.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is empty or given twice.
    pub fn owner(&self) -> Result<Database, ConfigError> {
        self.owner.resolve(&self.database)
    }

    /// The role that serves requests, and is given what it needs for that.
    pub fn runtime_role(&self) -> &str {
        &self.database.postgres_user
    }

    /// Whether no role but the one that serves requests is configured.
    pub(super) fn has_one_role(&self) -> bool {
        self.owner.is_absent()
    }
}
