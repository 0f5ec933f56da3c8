//! The command line, and how it becomes plain configuration.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    ConfigError, Database, Embedded, Listen, LogFormat, Secret, SecretSource, Server, Sizes, Tls,
};

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
}

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    embedded: EmbeddedArgs,
    /// Stop when standard input ends: for programs that start the stack and must not leave it
    #[arg(long)]
    pub until_stdin_ends: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pool: PoolArgs,
}

/// Flags of `stack`.
#[derive(Debug, Args)]
pub struct StackArgs {
    #[command(flatten)]
    embedded: EmbeddedArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pool: PoolArgs,
}

#[derive(Debug, Args)]
struct EmbeddedArgs {
    /// Folder for the cluster, its logs and its generated passwords
    #[arg(
        long,
        env = "DATA_DIR",
        value_name = "DATA_DIR",
        default_value = "data"
    )]
    data: PathBuf,
    /// Use a throw-away folder and free ports; everything is removed at the end
    #[arg(long)]
    ephemeral: bool,
    /// PgBouncer's port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_PORT",
        value_name = "POSTGRES_PORT",
        default_value_t = 6432
    )]
    postgres_port: u16,
    /// PostgreSQL's own port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_DIRECT_PORT",
        value_name = "POSTGRES_DIRECT_PORT",
        default_value_t = 6433
    )]
    postgres_direct_port: u16,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long, env = "POSTGRES_BIN", value_name = "POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,
    /// PgBouncer's program [default: the machine's]
    #[arg(long, env = "PGBOUNCER", value_name = "PGBOUNCER")]
    pgbouncer: Option<PathBuf>,
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pool: PoolArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Flags of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to do with the schema
    #[command(subcommand)]
    pub action: SchemaAction,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    owner: OwnerArgs,
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
struct ServerArgs {
    /// Database behind the API; local (DuckDB) comes later
    #[arg(
        long,
        env = "DB_MODE",
        value_name = "DB_MODE",
        default_value = "postgresql"
    )]
    db_mode: DbMode,
    /// Address of the public API
    #[arg(long, env = "HOST", value_name = "HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port of the public API; 0 takes a free one
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 5001)]
    port: u16,
    /// Address of /live, /ready and /metrics
    #[arg(
        long,
        env = "ADMIN_HOST",
        value_name = "ADMIN_HOST",
        default_value = "127.0.0.1"
    )]
    admin_host: IpAddr,
    /// Port of /live, /ready and /metrics; 0 takes a free one
    #[arg(
        long,
        env = "ADMIN_PORT",
        value_name = "ADMIN_PORT",
        default_value_t = 5002
    )]
    admin_port: u16,
    /// Most requests that may wait in one lane; one more is refused with 503
    #[arg(
        long,
        env = "QUEUE_MAX",
        value_name = "QUEUE_MAX",
        default_value_t = 2048
    )]
    queue_max: usize,
    /// Most requests that one statement may carry
    #[arg(
        long,
        env = "BATCH_MAX",
        value_name = "BATCH_MAX",
        default_value_t = 128
    )]
    batch_max: usize,
    /// Longest time from a request's arrival to its answer
    #[arg(
        long,
        env = "REQUEST_DEADLINE_MS",
        value_name = "REQUEST_DEADLINE_MS",
        default_value_t = 3000
    )]
    request_deadline_ms: u64,
    /// Most client connections at once
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        value_name = "MAX_CONNECTIONS",
        default_value_t = 10_000
    )]
    max_connections: usize,
    /// How long /ready says no before the listener closes
    #[arg(
        long,
        env = "DRAIN_DELAY_MS",
        value_name = "DRAIN_DELAY_MS",
        default_value_t = 0
    )]
    drain_delay_ms: u64,
    /// Longest time that open requests get to finish
    #[arg(
        long,
        env = "DRAIN_TIMEOUT_MS",
        value_name = "DRAIN_TIMEOUT_MS",
        default_value_t = 8000
    )]
    drain_timeout_ms: u64,
}

#[derive(Debug, Args)]
struct PoolArgs {
    /// Worker threads in all, split over the three lanes [default: 3 per core, 6 to 48]
    #[arg(long, env = "WORKERS", value_name = "WORKERS")]
    workers: Option<usize>,
    /// Worker threads that create [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_CREATE", value_name = "WORKERS_CREATE")]
    workers_create: Option<usize>,
    /// Worker threads that find and count [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_FIND", value_name = "WORKERS_FIND")]
    workers_find: Option<usize>,
    /// Worker threads that search [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_SEARCH", value_name = "WORKERS_SEARCH")]
    workers_search: Option<usize>,
    /// Connections that r2d2 keeps open even when idle [default: as many as workers]
    #[arg(long, env = "DB_POOL_MIN", value_name = "DB_POOL_MIN")]
    db_pool_min: Option<usize>,
    /// Ceiling of r2d2's size, which is the number of workers
    #[arg(
        long,
        env = "DB_POOL_MAX",
        value_name = "DB_POOL_MAX",
        default_value_t = 100
    )]
    db_pool_max: usize,
}

#[derive(Debug, Args)]
struct DatabaseArgs {
    /// Where requests go: PgBouncer, or PostgreSQL itself
    #[arg(
        long,
        env = "POSTGRES_HOST",
        value_name = "POSTGRES_HOST",
        default_value = "localhost"
    )]
    postgres_host: String,
    /// Its port
    #[arg(
        long,
        env = "POSTGRES_PORT",
        value_name = "POSTGRES_PORT",
        default_value_t = 6432
    )]
    postgres_port: u16,
    /// Database name
    #[arg(
        long,
        env = "POSTGRES_DB",
        value_name = "POSTGRES_DB",
        default_value = "warrior_api"
    )]
    postgres_db: String,
    /// Role that serves requests; its password: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE
    #[arg(
        long,
        env = "POSTGRES_USER",
        value_name = "POSTGRES_USER",
        default_value = "warrior"
    )]
    postgres_user: String,
    /// PostgreSQL itself, for migrations [default: POSTGRES_HOST]
    #[arg(
        long,
        env = "POSTGRES_DIRECT_HOST",
        value_name = "POSTGRES_DIRECT_HOST"
    )]
    postgres_direct_host: Option<String>,
    /// PostgreSQL's own port, for migrations [default: POSTGRES_PORT]
    #[arg(
        long,
        env = "POSTGRES_DIRECT_PORT",
        value_name = "POSTGRES_DIRECT_PORT"
    )]
    postgres_direct_port: Option<u16>,
    /// TLS to the database
    #[arg(
        long,
        env = "POSTGRES_TLS",
        value_name = "POSTGRES_TLS",
        default_value = "off"
    )]
    postgres_tls: TlsMode,
    /// PEM file of the CAs to trust; needed by verify-ca and verify-full
    #[arg(long, env = "POSTGRES_TLS_CA", value_name = "POSTGRES_TLS_CA")]
    postgres_tls_ca: Option<PathBuf>,
    /// Longest time for one login
    #[arg(
        long,
        env = "DB_CONNECT_TIMEOUT_MS",
        value_name = "DB_CONNECT_TIMEOUT_MS",
        default_value_t = 2000
    )]
    db_connect_timeout_ms: u64,
}

#[derive(Debug, Args)]
struct OwnerArgs {
    /// Role that owns the schema; its password: POSTGRES_OWNER_PASSWORD or POSTGRES_OWNER_PASSWORD_FILE
    #[arg(
        long,
        env = "POSTGRES_OWNER",
        value_name = "POSTGRES_OWNER",
        default_value = "warrior_owner"
    )]
    postgres_owner: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DbMode {
    Postgresql,
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TlsMode {
    Off,
    VerifyCa,
    VerifyFull,
}

/// Reads `.env`, the environment and the flags; prints help and errors itself, as clap does.
///
/// # Errors
/// When `.env` exists and is malformed.
pub fn load() -> Result<Cli, ConfigError> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(dotenvy::Error::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => {
            return Err(ConfigError(format!(
                ".env is malformed: {e}; each line is NAME=value"
            )));
        }
    }
    Ok(Cli::parse())
}

impl UpArgs {
    /// The server's own part.
    ///
    /// # Errors
    /// Names the variable that is out of range, or that asks for what does not exist yet.
    pub fn server(&self) -> Result<Server, ConfigError> {
        let mut server = self.server.resolve(&self.pool)?;
        if self.embedded.ephemeral {
            // A throw-away stack must never be in the way of a real one.
            server.public.port = 0;
            server.admin.port = 0;
        }
        Ok(server)
    }

    /// The embedded stack's own part.
    pub fn embedded(&self) -> Embedded {
        self.embedded.resolve()
    }
}

impl StackArgs {
    /// Where the stack lives and listens.
    pub fn embedded(&self) -> Embedded {
        self.embedded.resolve()
    }

    /// The sizes of the server that will use the stack, which the pool has to fit.
    ///
    /// # Errors
    /// Names the variable that is out of range.
    pub fn sizes(&self) -> Result<Sizes, ConfigError> {
        Ok(self.server.resolve(&self.pool)?.sizes)
    }
}

impl EmbeddedArgs {
    fn resolve(&self) -> Embedded {
        let (data, pooler_port, postgres_port) = if self.ephemeral {
            (None, 0, 0)
        } else {
            let data = Some(self.data.clone());
            (data, self.postgres_port, self.postgres_direct_port)
        };
        Embedded {
            data,
            pooler_port,
            postgres_port,
            postgres_bin: self.postgres_bin.clone(),
            pgbouncer: self.pgbouncer.clone(),
        }
    }
}

impl ServeArgs {
    /// The server's own part.
    ///
    /// # Errors
    /// Names the variable that is out of range, or that asks for what does not exist yet.
    pub fn server(&self) -> Result<Server, ConfigError> {
        self.server.resolve(&self.pool)
    }

    /// Where requests go.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is given twice.
    pub fn database(&self) -> Result<Database, ConfigError> {
        self.database.runtime()
    }

    /// The secret that ids are derived with, shared by all instances.
    ///
    /// # Errors
    /// When it is missing, or given twice.
    pub fn idempotency_secret(&self) -> Result<SecretSource, ConfigError> {
        secret("IDEMPOTENCY_SECRET")?.ok_or_else(|| {
            ConfigError(
                "IDEMPOTENCY_SECRET is not set; every instance needs the same one, or a repeated \
                 Idempotency-Key could store a warrior twice. Make it once with \
                 `openssl rand -hex 32 > idempotency.secret` and set \
                 IDEMPOTENCY_SECRET_FILE=idempotency.secret"
                    .to_owned(),
            )
        })
    }
}

impl SchemaArgs {
    /// The direct connection, as the owner of the schema.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is given twice.
    pub fn owner(&self) -> Result<Database, ConfigError> {
        let runtime = self.database.runtime()?;
        let host = self
            .database
            .postgres_direct_host
            .clone()
            .unwrap_or(runtime.host);
        let port = self.database.postgres_direct_port.unwrap_or(runtime.port);
        let user = self.owner.postgres_owner.clone();
        Ok(Database {
            host,
            port,
            user,
            password: secret("POSTGRES_OWNER_PASSWORD")?,
            ..runtime
        })
    }
}

impl ServerArgs {
    fn resolve(&self, pool: &PoolArgs) -> Result<Server, ConfigError> {
        if self.db_mode == DbMode::Local {
            return Err(ConfigError(
                "DB_MODE=local (DuckDB) is not available yet; set DB_MODE=postgresql, or leave it \
                 out, and run `warrior-api up` for a PostgreSQL of its own"
                    .to_owned(),
            ));
        }
        Ok(Server {
            public: Listen {
                host: self.host,
                port: self.port,
            },
            admin: Listen {
                host: self.admin_host,
                port: self.admin_port,
            },
            sizes: self.sizes(pool)?,
            deadline: Duration::from_millis(within(
                "REQUEST_DEADLINE_MS",
                self.request_deadline_ms,
                100..=60_000,
            )?),
            drain_delay: Duration::from_millis(self.drain_delay_ms),
            drain_timeout: Duration::from_millis(self.drain_timeout_ms),
        })
    }

    fn sizes(&self, pool: &PoolArgs) -> Result<Sizes, ConfigError> {
        let total = match pool.workers {
            Some(n) => within("WORKERS", n, 3..=1000)?,
            None => (3 * num_cpus::get()).clamp(6, 48),
        };
        let share = |name, given: Option<usize>, of_total: usize| match given {
            Some(n) => within(name, n, 1..=1000),
            None => Ok(of_total),
        };
        // What does not divide by three goes to create first, then to find.
        let workers_create = share("WORKERS_CREATE", pool.workers_create, total.div_ceil(3))?;
        let workers_find = share("WORKERS_FIND", pool.workers_find, (total + 1) / 3)?;
        let workers_search = share("WORKERS_SEARCH", pool.workers_search, total / 3)?;
        let workers = workers_create + workers_find + workers_search;
        if workers > pool.db_pool_max {
            return Err(ConfigError(format!(
                "{workers} workers need {workers} database connections, but DB_POOL_MAX is {}; \
                 lower WORKERS or raise DB_POOL_MAX (and PgBouncer's default_pool_size with it)",
                pool.db_pool_max
            )));
        }
        Ok(Sizes {
            workers_create,
            workers_find,
            workers_search,
            pool_min: within(
                "DB_POOL_MIN",
                pool.db_pool_min.unwrap_or(workers),
                0..=workers,
            )?,
            batch_max: within("BATCH_MAX", self.batch_max, 1..=10_000)?,
            queue_max: within("QUEUE_MAX", self.queue_max, 1..=1_000_000)?,
            connections_max: within("MAX_CONNECTIONS", self.max_connections, 1..=1_000_000)?,
        })
    }
}

impl DatabaseArgs {
    fn runtime(&self) -> Result<Database, ConfigError> {
        let tls = match (self.postgres_tls, &self.postgres_tls_ca) {
            (TlsMode::Off, _) => Tls::Off,
            (TlsMode::VerifyCa, Some(ca)) => Tls::VerifyCa(ca.clone()),
            (TlsMode::VerifyFull, Some(ca)) => Tls::VerifyFull(ca.clone()),
            (_, None) => {
                return Err(ConfigError(
                    "POSTGRES_TLS asks for a verified certificate, but POSTGRES_TLS_CA is not set; \
                     set it to the PEM file of the CA that signed the server's certificate"
                        .to_owned(),
                ));
            }
        };
        Ok(Database {
            host: self.postgres_host.clone(),
            port: self.postgres_port,
            dbname: self.postgres_db.clone(),
            user: self.postgres_user.clone(),
            password: secret("POSTGRES_PASSWORD")?,
            tls,
            connect_timeout: Duration::from_millis(within(
                "DB_CONNECT_TIMEOUT_MS",
                self.db_connect_timeout_ms,
                10..=60_000,
            )?),
        })
    }
}

/// `NAME`, or the file that `NAME_FILE` points to; both at once is a mistake worth stopping for.
#[expect(
    clippy::disallowed_methods,
    reason = "config is the reader of the environment"
)]
fn secret(name: &str) -> Result<Option<SecretSource>, ConfigError> {
    let file_name = format!("{name}_FILE");
    let read = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|v| !v.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError(format!("{name} is not UTF-8"))),
    };
    match (read(name)?, read(&file_name)?) {
        (Some(_), Some(_)) => Err(ConfigError(format!(
            "{name} and {file_name} are both set; keep one of them"
        ))),
        (Some(value), None) => Ok(Some(SecretSource::Inline(Secret::new(value)))),
        (None, Some(path)) => Ok(Some(SecretSource::File(path.into()))),
        (None, None) => Ok(None),
    }
}

fn within<T>(name: &str, value: T, range: std::ops::RangeInclusive<T>) -> Result<T, ConfigError>
where
    T: PartialOrd + std::fmt::Display,
{
    if range.contains(&value) {
        Ok(value)
    } else {
        let (least, most) = range.into_inner();
        Err(ConfigError(format!(
            "{name} is {value}; it must be {least} to {most}"
        )))
    }
}
