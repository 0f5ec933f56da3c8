//! How the command line becomes plain configuration.

use std::time::Duration;

use clap::Parser;

use super::cli::{
    AdminArgs, Cli, DatabaseArgs, DbMode, EmbeddedArgs, HealthArgs, PoolArgs, SchemaArgs,
    ServeArgs, ServerArgs, StackArgs, TlsMode, UpArgs,
};
use super::{ConfigError, Database, Embedded, Listen, Secret, SecretSource, Server, Sizes, Tls};

/// Read from the working directory alone: one that belongs to another project further up is none of
/// ours.
const ENV_FILE: &str = ".env";

/// Reads `.env`, the environment and the flags; prints help and errors itself, as clap does.
///
/// # Errors
/// When `.env` exists and is malformed.
pub fn load() -> Result<Cli, ConfigError> {
    match dotenvy::from_path_iter(ENV_FILE) {
        Ok(entries) => {
            check_entries(entries)?;
            dotenvy::from_path(ENV_FILE).map_err(|e| unreadable(&e))?;
        }
        Err(e) if e.not_found() => {}
        Err(e) => return Err(unreadable(&e)),
    }
    Ok(Cli::parse())
}

/// Says where `.env` is malformed without showing the line, which may hold a password.
fn check_entries(
    entries: impl Iterator<Item = dotenvy::Result<(String, String)>>,
) -> Result<(), ConfigError> {
    let mut place = "at its first entry".to_owned();
    for entry in entries {
        match entry {
            Ok((name, _)) => place = format!("after {name}"),
            Err(dotenvy::Error::LineParse(..)) => {
                return Err(ConfigError(format!(
                    ".env is malformed {place}; each line is NAME=value, and a value with spaces or \
                     quotes in it stands in quotes"
                )));
            }
            Err(e) => return Err(unreadable(&e)),
        }
    }
    Ok(())
}

fn unreadable(e: &dotenvy::Error) -> ConfigError {
    ConfigError(format!(".env cannot be read: {e}"))
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
            full_size: data.is_some() || self.full_size,
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
            admin: self.admin.resolve(),
            sizes: self.sizes(pool)?,
            memory: match self.memory_limit_mib {
                Some(mib) => Some(within("MEMORY_LIMIT_MIB", mib, 16..=1 << 24)? << 20),
                None => None,
            },
            deadline: Duration::from_millis(within(
                "REQUEST_DEADLINE_MS",
                self.request_deadline_ms,
                100..=60_000,
            )?),
            head_timeout: Duration::from_millis(within(
                "HEAD_TIMEOUT_MS",
                self.head_timeout_ms,
                100..=600_000,
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
        let sizes = Sizes {
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
        };
        let connections = sizes.pool();
        if connections > pool.db_pool_max {
            return Err(ConfigError(format!(
                "{workers} workers, the probe and the flusher need {connections} database connections, \
                 but DB_POOL_MAX is {}; lower WORKERS or raise DB_POOL_MAX (and PgBouncer's \
                 default_pool_size with it)",
                pool.db_pool_max
            )));
        }
        Ok(sizes)
    }
}

impl HealthArgs {
    /// The admin listener to ask.
    pub fn admin(&self) -> Listen {
        self.admin.resolve()
    }
}

impl AdminArgs {
    fn resolve(&self) -> Listen {
        Listen {
            host: self.admin_host,
            port: self.admin_port,
        }
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

/// Whether colours are unwelcome, as <https://no-color.org> has it.
#[expect(
    clippy::disallowed_methods,
    reason = "config is the reader of the environment"
)]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
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
