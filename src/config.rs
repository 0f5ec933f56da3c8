//! Configuration: the only reader of the environment.
//!
//! Order: flags, then environment, then `.env`. Missing is a default; malformed, which an empty value is,
//! stops the start and names the variable; what is not taken as it stands is said. `warrior-api <command>
//! --help` lists every variable with its default.
//! Passwords have no flag, since flags show in `ps`: `POSTGRES_PASSWORD`, `POSTGRES_OWNER_PASSWORD`,
//! `POSTGRES_MONITOR_PASSWORD` and `IDEMPOTENCY_SECRET` are read from the environment or `.env`, or from the file that the same name
//! with `_FILE` points to.

mod error;

mod env_file;
mod environment;
mod secret_variables;

mod database;
mod doctor;
#[cfg(feature = "duckdb")]
mod duckdb;
mod embedded;
mod generated;
mod local;
mod monitor;
mod private;
mod schema;
mod server;
mod sizes;

mod descriptors;

mod cli;
mod load;
mod notes;

pub use cli::{Cli, Command, HealthArgs, LogFormat, ServeArgs, StackArgs, UpArgs};
pub use doctor::{DoctorArgs, NamedLogins};
#[cfg(feature = "duckdb")]
pub use duckdb::{
    CheckArgs, DuckDbAction, DuckDbArgs, ExportArgs, ImportArgs, Renamed, SkillsText, SourceArgs,
};
pub use environment::no_color;
pub use error::ConfigError;
pub use generated::{CompletionsArgs, ManualArgs};
pub use load::{Loaded, load};
pub use local::Local;
pub use monitor::Monitoring;
pub use schema::{SchemaAction, SchemaArgs};
pub use server::{Listen, Server};
pub use sizes::Sizes;
pub use warrior_stack::{Database, Embedded, Secret, SecretError, SecretSource, Tls};
