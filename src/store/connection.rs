//! Logins and connections: r2d2's manager around r2d2_postgres.
//!
//! It adds what the synchronous client lacks: a deadline for the whole login, the password file read
//! again at each login, and a check of a connection only when there is a reason to doubt it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::config::SslMode;
use postgres::error::Severity;
use postgres::{Client, Config};
use r2d2::ManageConnection;
use r2d2_postgres::PostgresConnectionManager;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::schema::DIRECT_OPTIONS;
use super::tls::{self, TlsError};
use crate::config::{Database, SecretError, Tls};

/// A connection that has idled longer is asked whether it lives before it is used.
const IDLE_CHECK: Duration = Duration::from_secs(5);
/// How long that question may take.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);
/// Logins that may have been left behind at once. A login cannot be interrupted; each holds a thread
/// and a socket until its peer answers, dies or is gone.
pub(super) const HANGING_MAX: usize = 64;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The password file cannot be used.
    #[error(transparent)]
    Password(#[from] SecretError),
    /// The CA file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server refused, or cannot be reached.
    #[error("cannot log in to {at}: {why}")]
    Refused {
        /// Host and port.
        at: String,
        /// The chain of causes.
        why: String,
    },
    /// The server accepted the connection and then kept silent.
    #[error("no login at {at} within {limit:?}: the server accepts connections and keeps silent")]
    Silent {
        /// Host and port.
        at: String,
        /// The deadline.
        limit: Duration,
    },
    /// The system refused a thread, or too many logins hang already.
    #[error("cannot start a login: {0}")]
    NoThread(String),
}

/// Opens connections for r2d2.
pub(super) struct Manager {
    database: Database,
    connector: MakeRustlsConnect,
    health: Health,
    /// Logins that nobody waits for any more and that have not ended.
    hanging: Arc<AtomicUsize>,
    /// Startup options, which no pooler passes on.
    options: Option<&'static str>,
}

/// What connections have taught about the database; shared by the pool's manager and its users.
#[derive(Clone, Debug, Default)]
pub(super) struct Health(Arc<Learned>);

#[derive(Debug, Default)]
struct Learned {
    /// Raised when a connection fails: those that were opened or asked earlier are asked again before
    /// they are used.
    epoch: AtomicU64,
    /// Why the last login, or the first question after it, failed; none when both succeeded.
    last_failure: Mutex<Option<String>>,
}

/// A connection with what is known of its health.
pub(super) struct Connection {
    /// There until the connection is dropped.
    client: Option<Client>,
    /// The epoch in which the server last showed that it lives; none before the first time.
    epoch: Option<u64>,
    last_used: Instant,
    /// Set while the server owes an answer; a connection that is still owed one is not used again.
    owed: bool,
}

/// Logs in once, outside any pool, and gives a plain client.
///
/// # Errors
/// As [`LoginError`] says; after `database.connect_timeout` at the latest.
pub fn connect(database: &Database) -> Result<Client, LoginError> {
    Manager::new(database.clone(), Health::default())?.login()
}

/// As [`connect`], with the mark that reaches PostgreSQL on a direct connection alone. A pooler lets in without
/// it, whatever it does with the parameter that carries it: the commands of [`schema`](super::schema) look for
/// the mark themselves.
///
/// # Errors
/// As [`connect`].
pub fn connect_direct(database: &Database) -> Result<Client, LoginError> {
    let mut manager = Manager::new(database.clone(), Health::default())?;
    manager.options = Some(DIRECT_OPTIONS);
    match manager.login() {
        // PgBouncer's words for a parameter that it neither passes on nor was told to ignore.
        Err(LoginError::Refused { why, .. }) if why.contains("unsupported startup parameter") => {
            manager.options = None;
            manager.login()
        }
        other => other,
    }
}

// === impl Health ===

impl Health {
    /// A connection has failed: the others may have, too.
    pub(super) fn suspect_all(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// Why the last login, or the first question after it, failed; none when both succeeded.
    pub(super) fn last_failure(&self) -> Option<String> {
        self.lock().clone()
    }

    fn learn(&self, failure: Option<String>) {
        *self.lock() = failure;
    }

    fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Manager ===

impl Manager {
    pub(super) fn new(database: Database, health: Health) -> Result<Self, TlsError> {
        let connector = tls::connector(&database.tls)?;
        Ok(Self {
            database,
            connector,
            health,
            hanging: Arc::new(AtomicUsize::new(0)),
            options: None,
        })
    }

    fn login(&self) -> Result<Client, LoginError> {
        let config = self.client_config()?;
        let connector = self.connector.clone();
        let hanging = Arc::clone(&self.hanging);
        if hanging.load(Ordering::Relaxed) >= HANGING_MAX {
            return Err(LoginError::NoThread(format!(
                "{HANGING_MAX} logins hang already"
            )));
        }
        let (sender, receiver) = sync_channel(1);
        // Set by the login's end and by the end of our patience; who comes second takes it off the count.
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        thread::Builder::new()
            .name("login".to_owned())
            .spawn(move || {
                let result = PostgresConnectionManager::new(config, connector).connect();
                if ended.swap(true, Ordering::AcqRel) {
                    hanging.fetch_sub(1, Ordering::Relaxed);
                }
                // Nobody waits for a login that took too long; its client is dropped here.
                let _ = sender.send(result);
            })
            .map_err(|e| LoginError::NoThread(e.to_string()))?;
        let at = || format!("{}:{}", self.database.host, self.database.port);
        match receiver.recv_timeout(self.database.connect_timeout) {
            Ok(result) => result.map_err(|e| LoginError::Refused {
                at: at(),
                why: super::chain(&e),
            }),
            Err(RecvTimeoutError::Timeout) => {
                self.hanging.fetch_add(1, Ordering::Relaxed);
                if over.swap(true, Ordering::AcqRel) {
                    self.hanging.fetch_sub(1, Ordering::Relaxed);
                }
                Err(LoginError::Silent {
                    at: at(),
                    limit: self.database.connect_timeout,
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(LoginError::NoThread(
                "the login ended without a result".to_owned(),
            )),
        }
    }

    fn client_config(&self) -> Result<Config, SecretError> {
        let database = &self.database;
        let mut config = Config::new();
        config
            .host(&database.host)
            .port(database.port)
            .dbname(&database.dbname)
            .user(&database.user)
            .application_name("warrior-api")
            .connect_timeout(database.connect_timeout)
            .ssl_mode(if database.tls == Tls::Off {
                SslMode::Disable
            } else {
                SslMode::Require
            })
            // A peer that is gone without a word is given up after 5 + 3 x 1 seconds idle, or after
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

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = LoginError;

    fn connect(&self) -> Result<Connection, LoginError> {
        // A login that works proves little: the first question does, see `is_valid`.
        let client = self
            .login()
            .inspect_err(|e| self.health.learn(Some(e.to_string())))?;
        Ok(Connection {
            client: Some(client),
            // A pooler lets clients log in while its database is gone. Asked first, such a connection
            // is known to have carried nothing; found out by a write, it would leave the outcome
            // unknown, since the client loses a last message that comes together with the end.
            epoch: None,
            last_used: Instant::now(),
            owed: false,
        })
    }

    /// Asks the server only at first, when another connection has failed since, or after a rest: a
    /// round trip for each checkout would double the cost of a find.
    fn is_valid(&self, connection: &mut Connection) -> Result<(), LoginError> {
        let epoch = Some(self.health.epoch());
        if connection.epoch == epoch && connection.last_used.elapsed() < IDLE_CHECK {
            return Ok(());
        }
        let answer = connection.ping().map_err(|e| LoginError::Refused {
            at: format!("{}:{}", self.database.host, self.database.port),
            why: format!("it lets us in, but answers nothing: {}", super::chain(&e)),
        });
        self.health
            .learn(answer.as_ref().err().map(ToString::to_string));
        answer?;
        connection.epoch = epoch;
        connection.last_used = Instant::now();
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.last_used = Instant::now();
        connection.is_spent()
    }
}

// === impl Connection ===

impl Connection {
    /// Runs one statement. A connection whose statement failed other than by an ordinary ERROR, or
    /// panicked, is not used again.
    pub(super) fn run<T>(
        &mut self,
        statement: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        let Some(client) = &mut self.client else {
            unreachable!("only drop takes the client")
        };
        self.owed = true;
        let result = statement(client);
        self.owed = false;
        if let Err(e) = &result {
            self.failed(e);
        }
        result
    }

    /// Judges the connection by the failure of a statement.
    pub(super) fn failed(&mut self, error: &postgres::Error) {
        self.owed = !leaves_session_usable(error);
    }

    /// Asks the server whether it is there, within [`CHECK_TIMEOUT`].
    pub(super) fn ping(&mut self) -> Result<(), postgres::Error> {
        self.run(|client| client.is_valid(CHECK_TIMEOUT))
    }

    /// Whether the connection will not be used again.
    pub(super) fn is_spent(&self) -> bool {
        self.owed || self.client.as_ref().is_none_or(Client::is_closed)
    }
}

impl Drop for Connection {
    /// Closing waits for the answer that is still owed, which a silent peer may owe for ever; that
    /// wait gets a thread of its own, so that it holds up no worker.
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| self.owed) {
            let _ = thread::Builder::new()
                .name("close".to_owned())
                .spawn(move || drop(client));
        }
    }
}

/// Whether the session goes on after this error. PgBouncer's own errors (08P01) end it, and a server
/// that turned read-only (25006) is no longer the one to write to.
fn leaves_session_usable(error: &postgres::Error) -> bool {
    error.as_db_error().is_some_and(|e| {
        e.parsed_severity() == Some(Severity::Error)
            && !matches!(e.code().code(), "08P01" | "25006")
    })
}
