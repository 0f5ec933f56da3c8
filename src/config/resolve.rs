//! How the command line becomes plain configuration.

use std::time::Duration;

use super::cli::{
    AdminArgs, DatabaseArgs, DbMode, EmbeddedArgs, HealthArgs, PoolArgs, SchemaArgs, ServeArgs,
    ServerArgs, StackArgs, TlsMode, UpArgs, Workers,
};
use super::secret;
use super::{ConfigError, Database, Embedded, Listen, Secret, Server, Sizes, Tls};

/// Longest drain: what an orchestrator waits for at the most before it kills.
const DRAIN_MS_MAX: u64 = 600_000;
/// The owner of the schema where only its password is configured; postgres-conf/roles.sql makes it.
const OWNER: &str = "warrior_owner";
const OWNER_PASSWORD: &str = "POSTGRES_OWNER_PASSWORD";

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

    /// The secret that ids are derived with; none leaves it to the one that the database keeps.
    ///
    /// # Errors
    /// When it is given twice, cannot be read, or can be guessed.
    pub fn idempotency_secret(&self) -> Result<Option<Secret>, ConfigError> {
        secret::idempotency()
    }
}

impl SchemaArgs {
    /// The direct connection, as the owner of the schema: POSTGRES_OWNER, or one role for everything where
    /// no other is configured.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is empty or given twice.
    pub fn owner(&self) -> Result<Database, ConfigError> {
        let runtime = self.database.runtime()?;
        let host = match &self.database.postgres_direct_host {
            Some(host) => without_brackets(host),
            None => runtime.host,
        };
        let port = match self.database.postgres_direct_port {
            Some(port) => within("POSTGRES_DIRECT_PORT", port, 1..=u16::MAX)?,
            None => runtime.port,
        };
        let (user, password) = match (&self.owner.postgres_owner, secret::source(OWNER_PASSWORD)?) {
            (None, None) => (runtime.user, runtime.password),
            (user, password) => (user.clone().unwrap_or_else(|| OWNER.to_owned()), password),
        };
        Ok(Database {
            host,
            port,
            user,
            password,
            ..runtime
        })
    }

    /// The role that serves requests, and is given what it needs for that.
    pub fn runtime_role(&self) -> &str {
        &self.database.postgres_user
    }

    /// Whether no role but the one that serves requests is configured.
    pub(super) fn has_one_role(&self) -> bool {
        self.owner.postgres_owner.is_none() && matches!(secret::source(OWNER_PASSWORD), Ok(None))
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
            drain_delay: Duration::from_millis(within(
                "DRAIN_DELAY_MS",
                self.drain_delay_ms,
                0..=DRAIN_MS_MAX,
            )?),
            drain_timeout: Duration::from_millis(within(
                "DRAIN_TIMEOUT_MS",
                self.drain_timeout_ms,
                0..=DRAIN_MS_MAX,
            )?),
        })
    }

    pub(super) fn sizes(&self, pool: &PoolArgs) -> Result<Sizes, ConfigError> {
        let (name, total) = match pool.workers {
            Some(workers) => ("WORKERS", Some(workers)),
            None => ("GUNICORN_WORKERS", pool.gunicorn_workers),
        };
        let total = match total {
            Some(Workers::Total(n)) => within(name, n, 3..=1000)?,
            Some(Workers::Auto) | None => (3 * num_cpus::get()).clamp(6, 48),
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
        let mut sizes = Sizes {
            workers_create,
            workers_find,
            workers_search,
            pool_min: pool.db_pool_min.unwrap_or(workers),
            batch_max: within("BATCH_MAX", self.batch_max, 1..=10_000)?,
            queue_max: within("QUEUE_MAX", self.queue_max, 1..=1_000_000)?,
            connections_max: within("MAX_CONNECTIONS", self.max_connections, 1..=1_000_000)?,
        };
        let connections = sizes.pool();
        sizes.pool_min = sizes.pool_min.min(connections);
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
            host: without_brackets(&self.postgres_host),
            port: within("POSTGRES_PORT", self.postgres_port, 1..=u16::MAX)?,
            dbname: self.postgres_db.clone(),
            user: self.postgres_user.clone(),
            password: secret::source("POSTGRES_PASSWORD")?,
            tls,
            connect_timeout: Duration::from_millis(within(
                "DB_CONNECT_TIMEOUT_MS",
                self.db_connect_timeout_ms,
                10..=60_000,
            )?),
        })
    }
}

/// An IPv6 address may stand in brackets, as in a URL.
fn without_brackets(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
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
