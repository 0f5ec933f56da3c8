//! Configuration: the only reader of the environment.
//!
//! Order: flags, then environment, then `.env`. Missing is a default; malformed, which an empty value is,
//! stops the start and names the variable; what is not taken as it stands is said. `warrior-api <command>
//! --help` lists every variable with its default.
//! Passwords have no flag, since flags show in `ps`: `POSTGRES_PASSWORD`, `POSTGRES_OWNER_PASSWORD`
//! and `IDEMPOTENCY_SECRET` are read from the environment or `.env`, or from the file that the same name
//! with `_FILE` points to.

mod cli;
mod env_file;
mod environment;
mod notes;
mod resolve;
mod secret;

use std::net::IpAddr;
use std::time::Duration;

pub use cli::{Cli, Command, HealthArgs, SchemaAction, SchemaArgs, ServeArgs, StackArgs, UpArgs};
pub use environment::{load, no_color};
pub use warrior_stack::{Database, Embedded, Secret, SecretError, SecretSource, Sizes, Tls};

/// What stops the start before anything else happens.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Interface address.
    pub host: IpAddr,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// What the server itself needs, whatever database stands behind it.
#[derive(Clone, Debug)]
pub struct Server {
    /// The public API.
    pub public: Listen,
    /// `/live`, `/ready` and `/metrics`.
    pub admin: Listen,
    /// Everything that has a capacity.
    pub sizes: Sizes,
    /// Bytes of memory that it may use; none: what the control group or the machine has.
    pub memory: Option<u64>,
    /// Longest time from a request's last byte to its answer.
    pub deadline: Duration,
    /// Longest time for a request's head, and longest rest of a connection between two requests.
    pub head_timeout: Duration,
    /// How long `/ready` says no before the listener closes.
    pub drain_delay: Duration,
    /// Longest time that open requests get to finish once the listener is closed.
    pub drain_timeout: Duration,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}
