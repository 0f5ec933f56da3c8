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
use std::path::PathBuf;
use std::time::Duration;

pub use cli::{Cli, Command, HealthArgs, SchemaAction, SchemaArgs, ServeArgs, StackArgs, UpArgs};
pub use environment::{load, no_color};
pub use secret::{Secret, SecretError, SecretSource};

/// What stops the start before anything else happens.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// How to reach one PostgreSQL, directly or through PgBouncer, as one role.
#[derive(Clone, Debug)]
pub struct Database {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database name.
    pub dbname: String,
    /// Role to log in as.
    pub user: String,
    /// Read again at each connect.
    pub password: Option<SecretSource>,
    /// Whether and how the server's certificate is checked.
    pub tls: Tls,
    /// Longest time for one login, from the name lookup to the first ReadyForQuery.
    pub connect_timeout: Duration,
}

/// How the server's certificate is checked; nothing half-way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Clear text: loopback and private networks.
    Off,
    /// The certificate must be signed by one of the CAs in this PEM file; its name is not compared.
    VerifyCa(PathBuf),
    /// As `VerifyCa`, and the certificate must name the host that was dialled.
    VerifyFull(PathBuf),
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Interface address.
    pub host: IpAddr,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// Everything that has a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Worker threads that create warriors.
    pub workers_create: usize,
    /// Worker threads that find warriors by id and count them.
    pub workers_find: usize,
    /// Worker threads that search.
    pub workers_search: usize,
    /// Connections that r2d2 keeps open even when idle.
    pub pool_min: usize,
    /// Most requests that one statement may carry.
    pub batch_max: usize,
    /// Most requests that may wait in one lane.
    pub queue_max: usize,
    /// Most client connections on the public listener.
    pub connections_max: usize,
}

impl Sizes {
    /// Worker threads in all lanes.
    pub fn workers(&self) -> usize {
        self.workers_create + self.workers_find + self.workers_search
    }

    /// r2d2's size: one connection for each worker, so that a checkout never waits, one for the
    /// probe behind `/ready` and the breaker, and one for the flusher of the search indexes.
    pub fn pool(&self) -> usize {
        self.workers() + 2
    }
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

/// Where the embedded stack lives and listens.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Folder of the cluster, the logs and the generated passwords; `None` for a throw-away stack.
    pub data: Option<PathBuf>,
    /// Whether PostgreSQL is sized for the machine. Throw-away stacks run side by side, so they are not
    /// unless they are asked to.
    pub full_size: bool,
    /// PgBouncer's port on loopback; 0 lets the stack choose a free one.
    pub pooler_port: u16,
    /// PostgreSQL's port on loopback; 0 lets the stack choose a free one.
    pub postgres_port: u16,
    /// Folder of PostgreSQL's programs; `None` searches the machine.
    pub postgres_bin: Option<PathBuf>,
    /// PgBouncer's program; `None` searches the machine.
    pub pgbouncer: Option<PathBuf>,
}

/// The folders of PATH.
#[expect(
    clippy::disallowed_methods,
    reason = "config is the reader of the environment"
)]
pub fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}
