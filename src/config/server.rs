//! The configuration of the server: listeners, deadlines, memory limit and drain.
//!
//! `DB_MODE`, `HOST`, `PORT`, `ADMIN_HOST`, `ADMIN_PORT`, `REQUEST_DEADLINE_MS`, `MEMORY_LIMIT_MIB`,
//! `HEAD_TIMEOUT_MS`, `DRAIN_DELAY_MS`, `DRAIN_TIMEOUT_MS`.

use std::net::{AddrParseError, IpAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::error::{ConfigError, within};
use super::monitor::Monitoring;
use super::sizes::Sizes;

const MEMORY_MIB: RangeInclusive<u64> = 16..=1 << 24;
const DEADLINE_MS: RangeInclusive<u64> = 100..=60_000;
const HEAD_TIMEOUT_MS: RangeInclusive<u64> = 100..=600_000;
/// The upper bound is the longest that orchestrators wait before they kill.
const DRAIN_MS: RangeInclusive<u64> = 0..=600_000;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Interface address.
    pub host: IpAddr,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// The configuration of a server, whatever database stands behind it.
#[derive(Clone, Debug)]
pub struct Server {
    /// `HOST`, `PORT`: the public API. Loopback is too narrow in a container; all addresses are too wide on
    /// a machine without a proxy, since neither TLS nor authentication is done here.
    pub public: Listen,
    /// `ADMIN_HOST`, `ADMIN_PORT`: `/live`, `/ready`, `/metrics` and `/figures`, for operators alone.
    pub admin: Listen,
    /// Threads, connections, queues and batches.
    pub sizes: Sizes,
    /// The statistics of PostgreSQL and PgBouncer that are sampled; none without a role for it.
    pub monitoring: Option<Monitoring>,
    /// `MEMORY_LIMIT_MIB`, 16 MiB to 16 TiB, in bytes: what the server may use; none takes the limit of the
    /// control group, or the machine's memory. Too high: the kernel kills the process under load. Too low:
    /// fewer clients are served at once.
    pub memory: Option<u64>,
    /// `REQUEST_DEADLINE_MS`, 0.1 to 60 s: longest time from a request's last byte to its answer. An outage of half of
    /// it is waited out. Too high: clients wait for what is lost already. Too low: work that would have succeeded is refused.
    pub deadline: Duration,
    /// `HEAD_TIMEOUT_MS`, 0.1 to 600 s: longest time for a request's head, which includes the idle time of
    /// a kept-alive connection. Too high: idle clients hold their connections. Too low: a proxy's kept-alive
    /// connections are closed while a request is on its way.
    pub head_timeout: Duration,
    /// `DRAIN_DELAY_MS`, up to 600 s: how long `/ready` says no before the listener closes. Too high: an
    /// orchestrator kills first. Too low: the balancer still sends after the listener has closed.
    pub drain_delay: Duration,
    /// `DRAIN_TIMEOUT_MS`, up to 600 s: longest time that open requests get to finish once the listener is
    /// closed. Too high: an orchestrator kills first. Too low: requests are cut off.
    pub drain_timeout: Duration,
}

#[derive(Debug, Args)]
pub(super) struct ModeArgs {
    /// Database behind the API; local is one DuckDB file, for serve alone
    #[arg(
        long,
        env = "DB_MODE",
        value_name = "DB_MODE",
        default_value = "postgresql"
    )]
    pub(super) db_mode: DbMode,
}

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    pub(super) mode: ModeArgs,
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
    #[command(flatten)]
    pub(super) deadline: DeadlineArgs,
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
pub(super) struct DeadlineArgs {
    /// Longest time from a request's last byte to its answer
    #[arg(
        long,
        env = "REQUEST_DEADLINE_MS",
        value_name = "REQUEST_DEADLINE_MS",
        default_value_t = 3000
    )]
    pub(super) request_deadline_ms: u64,
}

#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// Address of /live, /ready, /metrics and /figures
    #[arg(
        long,
        env = "ADMIN_HOST",
        value_parser = address,
        value_name = "ADMIN_HOST",
        default_value = "127.0.0.1"
    )]
    pub(super) admin_host: IpAddr,
    /// Port of /live, /ready, /metrics and /figures; 0 takes a free one
    #[arg(
        long,
        env = "ADMIN_PORT",
        value_name = "ADMIN_PORT",
        default_value_t = 5002
    )]
    pub(super) admin_port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DbMode {
    Postgresql,
    Local,
}

impl ServerArgs {
    pub(super) fn resolve(&self, sizes: Sizes) -> Result<Server, ConfigError> {
        let duration = |name, ms, range| within(name, ms, range).map(Duration::from_millis);
        Ok(Server {
            public: Listen {
                host: self.host,
                port: self.port,
            },
            admin: self.admin.resolve(),
            sizes,
            monitoring: None,
            memory: match self.memory_limit_mib {
                Some(mib) => Some(within("MEMORY_LIMIT_MIB", mib, MEMORY_MIB)? << 20),
                None => None,
            },
            deadline: self.deadline.resolve()?,
            head_timeout: duration("HEAD_TIMEOUT_MS", self.head_timeout_ms, HEAD_TIMEOUT_MS)?,
            drain_delay: duration("DRAIN_DELAY_MS", self.drain_delay_ms, DRAIN_MS)?,
            drain_timeout: duration("DRAIN_TIMEOUT_MS", self.drain_timeout_ms, DRAIN_MS)?,
        })
    }
}

impl ModeArgs {
    /// Refuses what another database than PostgreSQL has no use for.
    ///
    /// # Errors
    /// When `DB_MODE` is local.
    pub(super) fn check_postgresql(&self, command: &str) -> Result<(), ConfigError> {
        match self.db_mode {
            DbMode::Postgresql => Ok(()),
            DbMode::Local => Err(ConfigError(format!(
                "DB_MODE=local serves a DuckDB file, and `{command}` starts a PostgreSQL; run `warrior-api serve`, or \
                 set DB_MODE=postgresql"
            ))),
        }
    }
}

impl DeadlineArgs {
    pub(super) fn resolve(&self) -> Result<Duration, ConfigError> {
        let ms = self.request_deadline_ms;
        within("REQUEST_DEADLINE_MS", ms, DEADLINE_MS).map(Duration::from_millis)
    }
}

impl AdminArgs {
    pub(super) fn resolve(&self) -> Listen {
        Listen {
            host: self.admin_host,
            port: self.admin_port,
        }
    }
}

/// An IPv6 address may stand in brackets, as in a URL.
fn address(text: &str) -> Result<IpAddr, AddrParseError> {
    let inner = text.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.map_or_else(|| text.parse(), |ip| ip.parse().map(IpAddr::V6))
}
