//! The login description of one PostgreSQL: address, role, password and TLS.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::SecretSource;

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
    /// The password, read again at each connect, so that a changed file needs no restart.
    pub password: Option<SecretSource>,
    /// Whether and how the server's certificate is checked.
    pub tls: Tls,
    /// Longest time for one login, from the name lookup to the first ReadyForQuery. `serve` takes it from
    /// `DB_CONNECT_TIMEOUT_MS`, 10 ms to 60 s. Too high: a login that hangs uses up the deadline of requests.
    /// Too low: no login succeeds on a busy machine.
    pub connect_timeout: Duration,
}

/// The check of the server's certificate; there is no encryption without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Clear text: loopback and private networks.
    Off,
    /// The certificate must be signed by one of the CAs in this PEM file; its name is not compared.
    VerifyCa(PathBuf),
    /// As `VerifyCa`, and the certificate must name the host that was dialled.
    VerifyFull(PathBuf),
}
