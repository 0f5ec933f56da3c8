//! Database logins: the one of requests, and the direct one of the schema's owner.
//!
//! `POSTGRES_HOST`, `POSTGRES_PORT`, `POSTGRES_DB`, `POSTGRES_USER`, `POSTGRES_PASSWORD(_FILE)`;
//! `POSTGRES_DIRECT_HOST`, `POSTGRES_DIRECT_PORT`, `POSTGRES_OWNER`, `POSTGRES_OWNER_PASSWORD(_FILE)`;
//! `POSTGRES_TLS`, `POSTGRES_TLS_CA`, `DB_CONNECT_TIMEOUT_MS`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use warrior_stack::{DATABASE, Database, Tls, layout};

use super::error::{ConfigError, within};
use super::secret_variables;

const OWNER_PASSWORD: &str = "POSTGRES_OWNER_PASSWORD";

/// Bounds of `DB_CONNECT_TIMEOUT_MS`; [`Database`] says what too high and too low do.
const CONNECT_TIMEOUT_MS: RangeInclusive<u64> = 10..=60_000;

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
        default_value = DATABASE
    )]
    pub(super) postgres_db: String,
    /// Role that serves requests; its password: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE
    #[arg(
        long,
        global = true,
        env = "POSTGRES_USER",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_USER",
        default_value = layout::RUNTIME.name
    )]
    pub(super) postgres_user: String,
    /// PostgreSQL itself, for migrations and statistics [default: POSTGRES_HOST]
    #[arg(
        long,
        global = true,
        env = "POSTGRES_DIRECT_HOST",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_DIRECT_HOST"
    )]
    pub(super) postgres_direct_host: Option<String>,
    /// PostgreSQL's own port, for migrations and statistics [default: POSTGRES_PORT]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TlsMode {
    Off,
    VerifyCa,
    VerifyFull,
}

impl DatabaseArgs {
    /// Where requests go.
    pub(super) fn runtime(&self) -> Result<Database, ConfigError> {
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
            password: secret_variables::source("POSTGRES_PASSWORD")?,
            tls,
            connect_timeout: Duration::from_millis(within(
                "DB_CONNECT_TIMEOUT_MS",
                self.db_connect_timeout_ms,
                CONNECT_TIMEOUT_MS,
            )?),
        })
    }
}

impl DatabaseArgs {
    /// The same login to PostgreSQL itself.
    pub(super) fn direct(&self, login: Database) -> Result<Database, ConfigError> {
        let host = match &self.postgres_direct_host {
            Some(host) => without_brackets(host),
            None => login.host,
        };
        let port = match self.postgres_direct_port {
            Some(port) => within("POSTGRES_DIRECT_PORT", port, 1..=u16::MAX)?,
            None => login.port,
        };
        Ok(Database {
            host,
            port,
            ..login
        })
    }
}

impl OwnerArgs {
    /// The direct connection, as the owner of the schema.
    pub(super) fn resolve(&self, database: &DatabaseArgs) -> Result<Database, ConfigError> {
        let runtime = database.direct(database.runtime()?)?;
        let (user, password) = match (
            &self.postgres_owner,
            secret_variables::source(OWNER_PASSWORD)?,
        ) {
            (None, None) => (runtime.user, runtime.password),
            (user, password) => (
                user.clone()
                    .unwrap_or_else(|| layout::OWNER.name.to_owned()),
                password,
            ),
        };
        Ok(Database {
            user,
            password,
            ..runtime
        })
    }

    /// Whether no role but the one that serves requests is configured.
    pub(super) fn is_absent(&self) -> bool {
        self.postgres_owner.is_none()
            && matches!(secret_variables::source(OWNER_PASSWORD), Ok(None))
    }
}

/// An IPv6 address may stand in brackets, as in a URL.
fn without_brackets(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
}
