//! Logins: one deadline for the name lookup, TCP, TLS and the authentication, over all addresses of a host.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use postgres::config::{SslMode, SslNegotiation};
use postgres::{Client, Config};
use r2d2::ManageConnection;
use r2d2_postgres::PostgresConnectionManager;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::deadline::{Connector, Deadline, Overdue};
use super::error::{causes, chain};
use super::greeting::Promise;
use super::login_error::LoginError;
use super::refusal::Refusal;
use super::replication::StandbyWait;
use super::resolver::{self, Resolver};
use super::schema::DIRECT_OPTIONS;
use super::tls::{self, TlsError};
use crate::config::{Database, SecretError};

/// Longest time for a few questions after a login.
const QUESTIONS_TIMEOUT: Duration = Duration::from_millis(500);

/// Logs in to one database as one role.
pub(super) struct Logins {
    database: Database,
    /// None: clear text.
    tls: Option<MakeRustlsConnect>,
    resolver: Resolver,
    /// Startup options, which no pooler passes on.
    options: Option<&'static str>,
}

/// A client, and the guards of its deadline and commits.
pub(super) struct Login {
    pub(super) client: Client,
    pub(super) deadline: Deadline,
    pub(super) standby_wait: StandbyWait,
    pub(super) promise: Promise,
}

/// Logs in once, outside any pool, and gives a plain client, whose statements have no deadline.
///
/// # Errors
/// As [`LoginError`] says; after `database.connect_timeout` at the latest.
pub fn connect(database: &Database) -> Result<Client, LoginError> {
    Ok(login(database)?.unbounded())
}

/// Logs in once, outside any pool.
pub(super) fn login(database: &Database) -> Result<Login, LoginError> {
    Logins::new(database.clone())?.login()
}

/// The deadline of a login that begins now, and of a few questions after it.
pub(super) fn time_to_ask(database: &Database) -> Instant {
    Instant::now() + database.connect_timeout + QUESTIONS_TIMEOUT
}

/// As [`connect`], with the mark that reaches PostgreSQL on a direct connection alone. A pooler lets in without
/// it, whatever it does with the parameter that carries it: the commands of [`schema`](super::schema) look for
/// the mark themselves.
///
/// # Errors
/// As [`connect`].
pub fn connect_direct(database: &Database) -> Result<Client, LoginError> {
    Ok(login_direct(database)?.unbounded())
}

/// As [`login`], with that mark.
pub(super) fn login_direct(database: &Database) -> Result<Login, LoginError> {
    let mut logins = Logins::new(database.clone())?;
    logins.options = Some(DIRECT_OPTIONS);
    match logins.login() {
        // A pooler that neither passes the parameter on nor ignores it.
        Err(LoginError::Refused {
            refusal: Refusal::Parameter,
            ..
        }) => {
            logins.options = None;
            logins.login()
        }
        other => other,
    }
}

impl Login {
    /// A plain client, all of whose questions must be answered at `until`.
    pub(super) fn until(self, until: Instant) -> Client {
        self.deadline.set(Some(until));
        self.client
    }

    fn unbounded(self) -> Client {
        self.deadline.set(None);
        self.client
    }
}

impl Logins {
    pub(super) fn new(database: Database) -> Result<Self, TlsError> {
        Ok(Self {
            tls: tls::connector(&database.tls)?,
            database,
            resolver: Resolver::new(),
            options: None,
        })
    }

    /// Host and port.
    pub(super) fn at(&self) -> String {
        format!("{}:{}", self.database.host, self.database.port)
    }

    /// The longest time of a login.
    pub(super) fn limit(&self) -> Duration {
        self.database.connect_timeout
    }

    pub(super) fn login(&self) -> Result<Login, LoginError> {
        self.login_within(self.limit())
    }

    /// Tries the addresses in turn.
    pub(super) fn login_within(&self, limit: Duration) -> Result<Login, LoginError> {
        let until = Instant::now() + limit;
        let addresses = self
            .addresses(until)
            .map_err(|why| self.refused(why, Refusal::Unreachable))?;
        self.try_each(&addresses, limit, until)
    }

    /// Tries these in turn until `until`, which ends a login of `limit`.
    pub(super) fn try_each(
        &self,
        addresses: &[IpAddr],
        limit: Duration,
        until: Instant,
    ) -> Result<Login, LoginError> {
        let config = self.config()?;
        let mut failures = Vec::new();
        for (tried, address) in addresses.iter().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let mut config = config.clone();
            // An address that swallows everything, or accepts and keeps silent, leaves the others their share.
            let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            config.hostaddr(*address).connect_timeout(share);
            match self.attempt(config, Instant::now() + share) {
                Ok(login) => return Ok(login),
                Err(error) => failures.push((*address, error)),
            }
        }
        Err(self.combined(failures, limit))
    }

    fn attempt(&self, mut config: Config, until: Instant) -> Result<Login, Box<dyn Error>> {
        let (deadline, standby_wait) = (Deadline::default(), StandbyWait::default());
        let promise = Promise::default();
        deadline.set(Some(until));
        let seen = standby_wait.clone();
        config.notice_callback(move |notice| seen.notice(&notice));
        let connector = Connector {
            tls: self.tls.clone(),
            deadline: deadline.clone(),
            promise: promise.clone(),
        };
        let manager = PostgresConnectionManager::new(config, connector);
        // The client panics when there are no descriptors left; r2d2 would lose count of its connections.
        let client = catch_unwind(AssertUnwindSafe(|| manager.connect()))
            .map_err(|_| "the client panicked; there may be no file descriptors left")??;
        Ok(Login {
            client,
            deadline,
            standby_wait,
            promise,
        })
    }

    fn addresses(&self, until: Instant) -> Result<Vec<IpAddr>, String> {
        let host = self.database.host.clone();
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        (self.resolver)
            .ask(until, move || resolver::look_up(&host))
            .and_then(|addresses| match addresses.is_empty() {
                true => Err("the name has no address".to_owned()),
                false => Ok(addresses),
            })
            .map_err(|why| format!("{why}; the host must be a name or an IP address"))
    }

    /// The failures of all addresses as one, that of the login that came farthest first. A parameter that one of them does
    /// not know can be left out for all.
    fn combined(&self, mut failures: Vec<(IpAddr, Box<dyn Error>)>, limit: Duration) -> LoginError {
        failures.sort_by_key(|(_, error)| remoteness(&**error));
        let refusals = |(_, error): &(IpAddr, Box<dyn Error>)| Refusal::of(&**error);
        let unknown_parameter = failures
            .iter()
            .map(refusals)
            .any(|r| r == Refusal::Parameter);
        match failures.as_slice() {
            [] => self.silent(limit),
            [(_, error), ..] if Overdue::is_behind(&**error) && !unknown_parameter => {
                self.silent(limit)
            }
            [(_, error)] => self.refused(chain(&**error), Refusal::of(&**error)),
            several @ [(_, farthest), ..] => {
                let each = several
                    .iter()
                    .map(|(address, error)| format!("{address}: {}", chain(&**error)));
                let why = each.collect::<Vec<_>>().join("; ");
                let refusal = match unknown_parameter {
                    true => Refusal::Parameter,
                    false => Refusal::of(&**farthest),
                };
                self.refused(why, refusal)
            }
        }
    }

    fn silent(&self, limit: Duration) -> LoginError {
        LoginError::Silent {
            at: self.at(),
            limit,
        }
    }

    pub(super) fn refused(&self, why: String, refusal: Refusal) -> LoginError {
        LoginError::Refused {
            at: self.at(),
            why,
            refusal,
        }
    }

    fn config(&self) -> Result<Config, SecretError> {
        let database = &self.database;
        let mut config = Config::new();
        config
            .host(&database.host)
            .port(database.port)
            .dbname(&database.dbname)
            .user(&database.user)
            .application_name("warrior-api")
            // Both have every stream go through our connector; see `deadline`.
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(SslNegotiation::Direct)
            // Keep-alive: a peer that is gone without a word is given up after 5 + 3 x 1 seconds idle, or after
            // 3 seconds with unacknowledged data.
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(3));
        if let Some(options) = self.options {
            config.options(options);
        }
        if let Some(password) = &database.password {
            config.password(password.read()?.expose());
        }
        Ok(config)
    }
}

/// How far a login came, the farthest first: a server that answered says more than a port that refused,
/// and that more than a network that is not there.
fn remoteness(error: &(dyn Error + 'static)) -> u8 {
    let of_io = |e: &io::Error| match e.kind() {
        // A kernel without IPv6; the error has no kind of its own.
        _ if e.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32) => Some(3),
        io::ErrorKind::TimedOut => Some(1),
        io::ErrorKind::ConnectionRefused => Some(2),
        io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => Some(3),
        _ => None,
    };
    causes(error)
        .find_map(|cause| cause.downcast_ref().and_then(of_io))
        .unwrap_or(0)
}
