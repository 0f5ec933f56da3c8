//! Monitoring: the role whose statistics `/metrics` and `/figures` show, and how often they are asked for.
//!
//! `POSTGRES_MONITOR_USER`, `POSTGRES_MONITOR_PASSWORD(_FILE)`, `POSTGRES_MONITOR_INTERVAL_MS`.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use warrior_stack::{Database, layout};

use super::database::DatabaseArgs;
use super::error::{ConfigError, within};
use super::secret_variables;

const PASSWORD: &str = "POSTGRES_MONITOR_PASSWORD";
/// What binds is judged over five seconds, of which both ends must have a sample of their own.
const INTERVAL_MS: RangeInclusive<u64> = 200..=4_000;
/// Longest login, which the other of the two samples waits for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// PgBouncer's console is a database of this name.
const CONSOLE: &str = "pgbouncer";

/// What is sampled, as whom, and how often.
#[derive(Clone, Debug)]
pub struct Monitoring {
    /// PostgreSQL itself.
    pub server: Database,
    /// PgBouncer's console.
    pub console: Database,
    /// The role that serves requests, whose pool is looked at.
    pub pooled_user: String,
    /// `POSTGRES_MONITOR_INTERVAL_MS`, 0.2 to 4 s: time between two samples. Too high: what binds is told late. Too low:
    /// each sample takes PostgreSQL some milliseconds.
    pub interval: Duration,
}

#[derive(Debug, Args)]
pub(super) struct IntervalArgs {
    /// Time between two samples of the statistics of PostgreSQL and PgBouncer
    #[arg(
        long,
        env = "POSTGRES_MONITOR_INTERVAL_MS",
        value_name = "POSTGRES_MONITOR_INTERVAL_MS",
        default_value_t = 2000
    )]
    pub(super) postgres_monitor_interval_ms: u64,
}

#[derive(Debug, Args)]
pub(super) struct MonitorRoleArgs {
    /// Role that reads the statistics of PostgreSQL (POSTGRES_DIRECT_HOST) and of PgBouncer's console; its password:
    /// POSTGRES_MONITOR_PASSWORD or POSTGRES_MONITOR_PASSWORD_FILE [default: warrior_monitor where there is such a
    /// password, else nobody]
    #[arg(
        long,
        env = "POSTGRES_MONITOR_USER",
        value_parser = NonEmptyStringValueParser::new(),
        value_name = "POSTGRES_MONITOR_USER"
    )]
    pub(super) postgres_monitor_user: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[command(flatten)]
    pub(super) role: MonitorRoleArgs,
    #[command(flatten)]
    pub(super) interval: IntervalArgs,
}

impl Monitoring {
    /// Sampling of `server`, and of the PgBouncer whose console is `console`.
    pub fn new(
        server: Database,
        console: Database,
        pooled_user: String,
        interval: Duration,
    ) -> Self {
        let patient = |database: Database| Database {
            connect_timeout: database.connect_timeout.min(CONNECT_TIMEOUT),
            ..database
        };
        Self {
            server: patient(server),
            console: patient(console),
            pooled_user,
            interval,
        }
    }
}

impl IntervalArgs {
    pub(super) fn resolve(&self) -> Result<Duration, ConfigError> {
        let ms = self.postgres_monitor_interval_ms;
        within("POSTGRES_MONITOR_INTERVAL_MS", ms, INTERVAL_MS).map(Duration::from_millis)
    }
}

impl MonitorRoleArgs {
    /// The monitor's login to where requests go; none where neither role nor password is given.
    pub(super) fn login(&self, database: &DatabaseArgs) -> Result<Option<Database>, ConfigError> {
        let password = secret_variables::source(PASSWORD)?;
        if self.postgres_monitor_user.is_none() && password.is_none() {
            return Ok(None);
        }
        let user = self.postgres_monitor_user.clone();
        Ok(Some(Database {
            user: user.unwrap_or_else(|| layout::MONITOR.name.to_owned()),
            password,
            ..database.runtime()?
        }))
    }
}

impl MonitorArgs {
    /// None where neither role nor password is given.
    pub(super) fn resolve(
        &self,
        database: &DatabaseArgs,
    ) -> Result<Option<Monitoring>, ConfigError> {
        let interval = self.interval.resolve()?;
        let Some(login) = self.role.login(database)? else {
            return Ok(None);
        };
        let console = Database {
            dbname: CONSOLE.to_owned(),
            ..login.clone()
        };
        let server = database.direct(login)?;
        let pooled_user = database.postgres_user.clone();
        Ok(Some(Monitoring::new(
            server,
            console,
            pooled_user,
            interval,
        )))
    }

    /// Whether nobody is to read statistics.
    pub(super) fn is_absent(&self) -> bool {
        self.role.postgres_monitor_user.is_none()
            && matches!(secret_variables::source(PASSWORD), Ok(None))
    }
}
