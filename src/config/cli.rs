//! The command line: flags, their variables and their defaults.

use std::net::{AddrParseError, IpAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::LogFormat;

/// An HTTP API over PostgreSQL that keeps its promises under stress.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// How log lines look
    #[arg(
        long,
        global = true,
        env = "LOG_FORMAT",
        value_name = "LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or tracing directives
    #[arg(
        long,
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

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start PostgreSQL, PgBouncer and the server, in one private folder
    Up(UpArgs),
    /// Serve from an existing PgBouncer or PostgreSQL
    Serve(ServeArgs),
    /// Start PostgreSQL and PgBouncer only, for tests and load tools
    Stack(StackArgs),
    /// Apply, inspect or repair the database schema
    Schema(SchemaArgs),
    /// Ask a running server whether it can serve; exit status 0 means yes
    Health(HealthArgs),
}

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub(super) embedded: EmbeddedArgs,
    /// Stop when standard input ends: for programs that start the stack and must not leave it
    #[arg(long)]
    pub until_stdin_ends: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) pool: PoolArgs,
}

/// Flags of `stack`.
#[derive(Debug, Args)]
pub struct StackArgs {
    #[command(flatten)]
    pub(super) embedded: EmbeddedArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) pool: PoolArgs,
}

#[derive(Debug, Args)]
pub(super) struct EmbeddedArgs {
    /// Folder for the cluster, its logs and its generated passwords
    #[arg(
        long,
        env = "DATA_DIR",
        value_name = "DATA_DIR",
        default_value = "data"
    )]
    pub(super) data: PathBuf,
    /// Use a throw-away folder and free ports; everything is removed at the end
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Give a throw-away PostgreSQL as much memory as one that is kept, not 256 MB at most
    #[arg(long, requires = "ephemeral")]
    pub(super) full_size: bool,
    /// PgBouncer's port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_PORT",
        value_name = "POSTGRES_PORT",
        default_value_t = 6432
    )]
    pub(super) postgres_port: u16,
    /// PostgreSQL's own port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_DIRECT_PORT",
        value_name = "POSTGRES_DIRECT_PORT",
        default_value_t = 6433
    )]
    pub(super) postgres_direct_port: u16,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long, env = "POSTGRES_BIN", value_name = "POSTGRES_BIN")]
    pub(super) postgres_bin: Option<PathBuf>,
    /// PgBouncer's program [default: the machine's]
    #[arg(long, env = "PGBOUNCER", value_name = "PGBOUNCER")]
    pub(super) pgbouncer: Option<PathBuf>,
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) pool: PoolArgs,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

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

/// Flags of `health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Ask only whether the process lives, whatever its database does
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub(super) admin: AdminArgs,
}

/// What `schema` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum SchemaAction {
    /// Bring the database to this program's schema, adopting an existing table
    Apply,
    /// Say which version the database has and which this program needs
    Status,
    /// Print the SQL that apply would run, for review; needs no database
    Print,
    /// Count the warriors again and rebuild what search keeps beside them
    Recount,
}

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// Database behind the API; local (DuckDB) comes later
    #[arg(
        long,
        env = "DB_MODE",
        value_name = "DB_MODE",
        default_value = "postgresql"
    )]
    pub(super) db_mode: DbMode,
    /// Address of the public API
    #[arg(
        long,
        env = "HOST",
        value_name = "HOST",
        value_parser = address,
        default_value = "127.0.0.1"
    )]
    pub(super) host: IpAddr,
    /// Port of the public API; 0 takes a free one
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 5001)]
    pub(super) port: u16,
    #[command(flatten)]
    pub(super) admin: AdminArgs,
    /// Most requests that may wait in one lane; one more is refused with 503
    #[arg(
        long,
        env = "QUEUE_MAX",
        value_name = "QUEUE_MAX",
        default_value_t = 2048
    )]
    pub(super) queue_max: usize,
    /// Most requests that one statement may carry
    #[arg(
        long,
        env = "BATCH_MAX",
        value_name = "BATCH_MAX",
        default_value_t = 128
    )]
    pub(super) batch_max: usize,
    /// Longest time from a request's last byte to its answer
    #[arg(
        long,
        env = "REQUEST_DEADLINE_MS",
        value_name = "REQUEST_DEADLINE_MS",
        default_value_t = 3000
    )]
    pub(super) request_deadline_ms: u64,
    /// Most client connections at once
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        value_name = "MAX_CONNECTIONS",
        default_value_t = 10_000
    )]
    pub(super) max_connections: usize,
    /// Memory that the server may use, in MiB; connections, waiting requests and answers are fitted into it
    /// [default: the limit of the control group, or what the machine has]
    #[arg(long, env = "MEMORY_LIMIT_MIB", value_name = "MEMORY_LIMIT_MIB")]
    pub(super) memory_limit_mib: Option<u64>,
    /// Longest time for a request's head, and longest rest of a connection between two requests
    #[arg(
        long,
        env = "HEAD_TIMEOUT_MS",
        value_name = "HEAD_TIMEOUT_MS",
        default_value_t = 5000
    )]
    pub(super) head_timeout_ms: u64,
    /// How long /ready says no, and each answer ends its connection, before the listener closes;
    /// connections that are idle then get another 250 ms for their next request
    #[arg(
        long,
        env = "DRAIN_DELAY_MS",
        value_name = "DRAIN_DELAY_MS",
        default_value_t = 0
    )]
    pub(super) drain_delay_ms: u64,
    /// Longest time that open requests get to finish
    #[arg(
        long,
        env = "DRAIN_TIMEOUT_MS",
        value_name = "DRAIN_TIMEOUT_MS",
        default_value_t = 8000
    )]
    pub(super) drain_timeout_ms: u64,
}

#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// Address of /live, /ready and /metrics
    #[arg(
        long,
        env = "ADMIN_HOST",
        value_parser = address,
        value_name = "ADMIN_HOST",
        default_value = "127.0.0.1"
    )]
    pub(super) admin_host: IpAddr,
    /// Port of /live, /ready and /metrics; 0 takes a free one
    #[arg(
        long,
        env = "ADMIN_PORT",
        value_name = "ADMIN_PORT",
        default_value_t = 5002
    )]
    pub(super) admin_port: u16,
}

#[derive(Debug, Args)]
pub(super) struct PoolArgs {
    /// Worker threads in all, split over the three lanes; auto is 3 per core, 6 to 48 [default: the number
    /// of GUNICORN_WORKERS, else auto]
    #[arg(long, env = "WORKERS", value_name = "WORKERS")]
    pub(super) workers: Option<Workers>,
    /// What the service before this one called it
    #[arg(
        long,
        env = "GUNICORN_WORKERS",
        value_name = "GUNICORN_WORKERS",
        hide = true
    )]
    pub(super) gunicorn_workers: Option<Workers>,
    /// Worker threads that create [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_CREATE", value_name = "WORKERS_CREATE")]
    pub(super) workers_create: Option<usize>,
    /// Worker threads that find and count [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_FIND", value_name = "WORKERS_FIND")]
    pub(super) workers_find: Option<usize>,
    /// Worker threads that search [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_SEARCH", value_name = "WORKERS_SEARCH")]
    pub(super) workers_search: Option<usize>,
    /// Connections that r2d2 keeps open even when idle, at most all [default: as many as workers]
    #[arg(long, env = "DB_POOL_MIN", value_name = "DB_POOL_MIN")]
    pub(super) db_pool_min: Option<usize>,
    /// Ceiling of r2d2's size, which is the number of workers, and two
    #[arg(
        long,
        env = "DB_POOL_MAX",
        value_name = "DB_POOL_MAX",
        default_value_t = 100
    )]
    pub(super) db_pool_max: usize,
}

#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Where requests go: PgBouncer, or PostgreSQL itself
    #[arg(
        long,
        global = true,
        env = "POSTGRES_HOST",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_HOST",
        default_value = "localhost"
    )]
    pub(super) postgres_host: String,
    /// Its port
    #[arg(
        long,
        global = true,
        env = "POSTGRES_PORT",
        value_name = "POSTGRES_PORT",
        default_value_t = 6432
    )]
    pub(super) postgres_port: u16,
    /// Database name
    #[arg(
        long,
        global = true,
        env = "POSTGRES_DB",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_DB",
        default_value = "warrior_api"
    )]
    pub(super) postgres_db: String,
    /// Role that serves requests; its password: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE
    #[arg(
        long,
        global = true,
        env = "POSTGRES_USER",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_USER",
        default_value = "warrior"
    )]
    pub(super) postgres_user: String,
    /// PostgreSQL itself, for migrations [default: POSTGRES_HOST]
    #[arg(
        long,
        global = true,
        env = "POSTGRES_DIRECT_HOST",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_DIRECT_HOST"
    )]
    pub(super) postgres_direct_host: Option<String>,
    /// PostgreSQL's own port, for migrations [default: POSTGRES_PORT]
    #[arg(
        long,
        global = true,
        env = "POSTGRES_DIRECT_PORT",
        value_name = "POSTGRES_DIRECT_PORT"
    )]
    pub(super) postgres_direct_port: Option<u16>,
    /// TLS to the database
    #[arg(
        long,
        global = true,
        env = "POSTGRES_TLS",
        value_name = "POSTGRES_TLS",
        default_value = "off"
    )]
    pub(super) postgres_tls: TlsMode,
    /// PEM file of the CAs to trust; needed by verify-ca and verify-full
    #[arg(
        long,
        global = true,
        env = "POSTGRES_TLS_CA",
        value_name = "POSTGRES_TLS_CA"
    )]
    pub(super) postgres_tls_ca: Option<PathBuf>,
    /// Longest time for one login
    #[arg(
        long,
        global = true,
        env = "DB_CONNECT_TIMEOUT_MS",
        value_name = "DB_CONNECT_TIMEOUT_MS",
        default_value_t = 2000
    )]
    pub(super) db_connect_timeout_ms: u64,
}

#[derive(Debug, Args)]
pub(super) struct OwnerArgs {
    /// Role that owns the schema; its password: POSTGRES_OWNER_PASSWORD or POSTGRES_OWNER_PASSWORD_FILE
    /// [default: warrior_owner, or POSTGRES_USER when there is no such password either]
    #[arg(
        long,
        global = true,
        env = "POSTGRES_OWNER",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_OWNER"
    )]
    pub(super) postgres_owner: Option<String>,
}

/// A number of worker threads, or what the machine's cores make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    Auto,
    Total(usize),
}

impl FromStr for Workers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::Total)
                .map_err(|_| "it is neither a number nor auto"),
        }
    }
}

/// An IPv6 address may stand in brackets, as in a URL.
fn address(text: &str) -> Result<IpAddr, AddrParseError> {
    let inner = text.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.map_or_else(|| text.parse(), |ip| ip.parse().map(IpAddr::V6))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DbMode {
    Postgresql,
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TlsMode {
    Off,
    VerifyCa,
    VerifyFull,
}
