//! The command line: the commands, and the configuration that each resolves from its flags.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use warrior_stack::{Connections, Database, Embedded, Secret};

use super::database::DatabaseArgs;
use super::doctor::DoctorArgs;
#[cfg(feature = "duckdb")]
use super::duckdb::DuckDbArgs;
use super::embedded::EmbeddedArgs;
use super::error::ConfigError;
use super::generated::{CompletionsArgs, ManualArgs};
use super::local::{Local, LocalArgs};
use super::monitor::{IntervalArgs, MonitorArgs};
use super::schema::SchemaArgs;
use super::secret_variables;
use super::server::{AdminArgs, DbMode, Listen, ModeArgs, Server, ServerArgs};
use super::sizes::{Sizes, SizesArgs};

/// An HTTP API over PostgreSQL that keeps its promises under stress.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// `LOG_FORMAT`, `text` or `json`: how log lines look. Text where a collector reads them: it has to guess at the
    /// fields. JSON where people do: they find nothing.
    #[arg(
        long,
        help = "How log lines look",
        global = true,
        env = "LOG_FORMAT",
        value_name = "LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// `LOG_LEVEL`, `off`, `error`, `warn`, `info`, `debug`, `trace`, or directives of tracing: the least severe lines
    /// that are written. Too high, as `debug`: lines about single connections, of which those above 16,384 that wait
    /// for a slow reader are dropped. Too low, as `error`: overload and failed logins leave no trace.
    #[arg(
        long,
        help = "What is logged: error, warn, info, debug, or tracing directives",
        global = true,
        env = "LOG_LEVEL",
        value_name = "LOG_LEVEL",
        default_value = "info"
    )]
    pub log_level: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start PostgreSQL, PgBouncer and the server, in one private folder
    Up(UpArgs),
    /// Serve from an existing PgBouncer or PostgreSQL, or from a DuckDB file (DB_MODE=local)
    Serve(ServeArgs),
    /// Start PostgreSQL and PgBouncer only, for tests and load tools
    Stack(StackArgs),
    /// Apply, inspect or repair the database schema
    Schema(SchemaArgs),
    /// Bring the warriors of a DuckDB file to PostgreSQL, compare both, or bring them back
    #[cfg(feature = "duckdb")]
    #[command(name = "duckdb")]
    DuckDb(DuckDbArgs),
    /// Ask a running server whether it can serve; exit status 0 means yes
    Health(HealthArgs),
    /// Look for what is wrong with a stack, changing nothing, and say what mends it; exit status: 0 nothing,
    /// 3 findings, 4 something essential was not seen, 2 it cannot be reached, 1 wrong usage
    Doctor(Box<DoctorArgs>),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Write the manual pages, one for each command
    Manual(ManualArgs),
}

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub(super) embedded: EmbeddedArgs,
    /// Stop when standard input ends: for programs that start the stack and must not leave it
    #[arg(long)]
    pub until_stdin_ends: bool,
    /// Serve the plain schema, as other engines do that speak PostgreSQL: one table, ordinary indexes, no triggers and no
    /// functions
    #[arg(long)]
    pub plain: bool,
    #[command(flatten)]
    pub(super) monitor: IntervalArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) sizes: SizesArgs,
}

/// Flags of `stack`.
#[derive(Debug, Args)]
pub struct StackArgs {
    #[command(flatten)]
    pub(super) embedded: EmbeddedArgs,
    #[command(flatten)]
    pub(super) mode: ModeArgs,
    #[command(flatten)]
    pub(super) sizes: SizesArgs,
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) sizes: SizesArgs,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    #[command(flatten)]
    pub(super) monitor: MonitorArgs,
    #[command(flatten)]
    pub(super) local: LocalArgs,
}

/// Flags of `health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Ask only whether the process lives, whatever its database does
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub(super) admin: AdminArgs,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl UpArgs {
    /// The server's own part.
    ///
    /// # Errors
    /// Names the variable that is out of range, or that `DB_MODE` is local.
    pub fn server(&self) -> Result<Server, ConfigError> {
        self.server.mode.check_postgresql("up")?;
        let mut server = self.server.resolve(self.sizes.resolve()?)?;
        if self.embedded.ephemeral {
            // Free ports: a throw-away stack must never be in the way of a real one.
            server.public.port = 0;
            server.admin.port = 0;
        }
        Ok(server)
    }

    /// Time between two samples of the stack's own statistics.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn monitoring_interval(&self) -> Result<Duration, ConfigError> {
        self.monitor.resolve()
    }

    /// The embedded stack's own part.
    pub fn embedded(&self) -> Embedded {
        self.embedded.resolve()
    }

    /// The connections of the pools, for a server of these sizes.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn connections(&self, sizes: &Sizes) -> Result<Connections, ConfigError> {
        self.embedded.connections(sizes)
    }
}

impl StackArgs {
    /// Where the stack lives and listens.
    pub fn embedded(&self) -> Embedded {
        self.embedded.resolve()
    }

    /// The connections of the pools, for the server that will use the stack.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn connections(&self) -> Result<Connections, ConfigError> {
        self.embedded.connections(&self.sizes()?)
    }

    /// The sizes of the server that will use the stack, which the pool has to fit.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn sizes(&self) -> Result<Sizes, ConfigError> {
        self.mode.check_postgresql("stack")?;
        self.sizes.resolve()
    }
}

impl ServeArgs {
    /// The server's own part.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn server(&self) -> Result<Server, ConfigError> {
        if !self.is_local() {
            return Ok(Server {
                monitoring: self.monitor.resolve(&self.database)?,
                ..self.server.resolve(self.sizes.resolve()?)?
            });
        }
        let mut server = self.server.resolve(self.sizes.without_ceiling()?)?;
        server.sizes.write_one_by_one();
        Ok(server)
    }

    /// The DuckDB file to serve; none where `DB_MODE` is postgresql.
    ///
    /// # Errors
    /// When it is not named, or this program was built without DuckDB.
    pub fn local(&self) -> Result<Option<Local>, ConfigError> {
        self.is_local().then(|| self.local.resolve()).transpose()
    }

    pub(super) fn is_local(&self) -> bool {
        self.server.mode.db_mode == DbMode::Local
    }

    /// Where requests go.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is given twice.
    pub fn database(&self) -> Result<Database, ConfigError> {
        self.database.runtime()
    }

    /// The secret that ids are derived with; none leaves it to the one that the database keeps.
    ///
    /// # Errors
    /// When it is given twice, cannot be read, or can be guessed.
    pub fn idempotency_secret(&self) -> Result<Option<Secret>, ConfigError> {
        secret_variables::idempotency()
    }
}

impl HealthArgs {
    /// The admin listener to ask.
    pub fn admin(&self) -> Listen {
        self.admin.resolve()
    }
}
