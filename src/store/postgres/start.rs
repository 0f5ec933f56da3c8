//! Start-up checks of the database: its obstacles, each with the next command.
//!
//! No finding stops the start. A database may come up later than its server, and an operator may mend the
//! rest without restarting the server; but "serving" must not stand in the log alone as if all were well.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use postgres::Client;

use super::error::chain;
use super::login::{login_direct, time_to_ask};
use super::login_error::LoginError;
use super::readiness::readiness;
use super::refusal::Refusal;
use super::{pooler, schema};
use crate::config::Database;
use crate::quoting::{identifier, quoted};

/// Obstacles that may wait until the start asks for them; the thread that looks waits, too.
const LINES_MAX: usize = 16;
const LIMITS: &str = include_str!("../sql/start/limits.sql");

/// Checks that go on while the server starts.
pub struct Look {
    lines: Receiver<String>,
    until: Instant,
    at: String,
}

impl Look {
    /// Begins to check `database`, as a server with `connections` connections would find it.
    pub fn begin(database: &Database, connections: usize) -> Self {
        let (found, lines) = sync_channel(LINES_MAX);
        let until = time_to_ask(database);
        let look = Self {
            lines,
            until,
            at: format!("{}:{}", database.host, database.port),
        };
        let database = database.clone();
        // Its end, or the refusal of a thread, ends the receiver.
        let _ = thread::Builder::new()
            .name("look".to_owned())
            .spawn(move || {
                look_at(&database, until, connections, &|line| {
                    drop(found.send(line))
                })
            });
        look
    }

    /// The obstacles, as sentences; after the time that a login may take at the latest.
    pub fn end(self) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => found.push(line),
                Err(RecvTimeoutError::Disconnected) => return found,
                Err(RecvTimeoutError::Timeout) => {
                    found.push(format!(
                        "the database at {} keeps silent; requests are answered with 503 until it answers: \
                         see whether it is stopped or overloaded",
                        self.at
                    ));
                    return found;
                }
            }
        }
    }
}

fn look_at(database: &Database, until: Instant, connections: usize, found: &dyn Fn(String)) {
    let mut client = match login_direct(database) {
        Ok(login) => login.until(until),
        Err(e) => return found(refused(database, &e)),
    };
    let direct = match limits(&mut client, database, connections) {
        Ok((direct, lines)) => {
            lines.into_iter().for_each(found);
            direct
        }
        Err(e) => {
            let at = format!("{}:{}", database.host, database.port);
            let (why, refusal) = (chain(&e), Refusal::of(&e));
            let error = LoginError::Refused { at, why, refusal };
            return found(refused(database, &error));
        }
    };
    let standing = match readiness(&mut client) {
        Ok(ready) => ready.suffices(schema::current_version()),
        Err(e) => Err(chain(&e)),
    };
    if let Err(line) = standing {
        found(line);
    }
    if !direct {
        let console = Database {
            dbname: pooler::CONSOLE.to_owned(),
            ..database.clone()
        };
        pooler::shortcomings(&console, &database.dbname, connections)
            .into_iter()
            .for_each(found);
    }
}

/// Whether the connection is direct, and which limits are too low.
fn limits(
    client: &mut Client,
    database: &Database,
    connections: usize,
) -> Result<(bool, Vec<String>), postgres::Error> {
    let rows = client.query_typed(LIMITS, &[])?;
    let Some(row) = rows.first() else {
        return Ok((true, Vec::new()));
    };
    let direct = row.try_get("direct")?;
    let (user, dbname) = (identifier(&database.user), identifier(&database.dbname));
    let sources = [
        ("of_server", "max_connections, less what is reserved", {
            "alter system set max_connections = ..., and restart PostgreSQL".to_owned()
        }),
        ("of_database", "CONNECTION LIMIT of the database", {
            format!("alter database {dbname} connection limit -1")
        }),
        ("of_role", "CONNECTION LIMIT of the role", {
            format!("alter role {user} connection limit -1")
        }),
    ];
    let mut lines = Vec::new();
    for (column, source, raise) in sources {
        let limit: i32 = row.try_get(column)?;
        if usize::try_from(limit).is_ok_and(|limit| limit < connections) {
            let lower = match direct {
                // Each of the three lanes has a worker, and a pool has two connections more.
                true if limit < 5 => String::new(),
                true => format!("set WORKERS={}, or ", limit - 2),
                false => format!("keep the pool size of the pooler at {limit} or less, or "),
            };
            lines.push(format!(
                "the database gives role {user} at most {limit} connections ({source}), and this server \
                 may use {connections}: requests that need the others are refused; {lower}run: {raise}"
            ));
        }
    }
    Ok((direct, lines))
}

/// A login that failed, with what to do about it.
fn refused(database: &Database, error: &LoginError) -> String {
    format!(
        "the database cannot be used yet, requests are answered with 503 until it can: {error}; {}",
        next_step(database, error)
    )
}

/// What to do about a login that failed.
pub(crate) fn next_step(database: &Database, error: &LoginError) -> String {
    advice(database, error.refusal())
}

fn advice(database: &Database, refusal: Refusal) -> String {
    let Database {
        host,
        port,
        dbname,
        user,
        ..
    } = database;
    let try_it = format!(
        "psql -h {} -p {port} -U {} -d {}",
        quoted(host),
        quoted(user),
        quoted(dbname)
    );
    match refusal {
        Refusal::CertificateName => {
            "set POSTGRES_HOST to a name that the certificate is for, or POSTGRES_TLS=verify-ca"
                .to_owned()
        }
        Refusal::CertificateExpired => "renew the certificate of the database server".to_owned(),
        Refusal::Certificate => format!(
            "set POSTGRES_TLS_CA to the file of the CA that signed it; see who did: openssl s_client \
             -starttls postgres -connect {host}:{port} -showcerts"
        ),
        Refusal::NoTls => {
            "turn TLS on there (ssl = on, or client_tls_sslmode of PgBouncer), or set POSTGRES_TLS=off"
                .to_owned()
        }
        Refusal::Way => {
            "let the role in by pg_hba.conf of the server, or, where it admits TLS alone, set \
             POSTGRES_TLS=verify-full and POSTGRES_TLS_CA"
                .to_owned()
        }
        Refusal::Credentials => format!(
            "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE to the password that lets you in: {try_it}"
        ),
        Refusal::Role => format!(
            "create the role {user} and let it log in (as an administrator: alter role {} login), or set POSTGRES_USER \
             to another one; try: {try_it}",
            identifier(user)
        ),
        Refusal::NoConnectRight => {
            let (dbname, user) = (identifier(dbname), identifier(user));
            format!("as an administrator run: grant connect on database {dbname} to {user}; try: {try_it}")
        }
        Refusal::MissingDatabase => {
            format!("see whether there is another under that name: {try_it}")
        }
        Refusal::TooManyConnections => {
            "set WORKERS lower, or give the role more connections (max_connections, CONNECTION LIMIT)"
                .to_owned()
        }
        Refusal::CannotConnectNow => {
            format!("wait until it has started, or see its log for what holds it up; try: {try_it}")
        }
        Refusal::Parameter | Refusal::Unreachable => {
            format!("start it, or set POSTGRES_HOST and POSTGRES_PORT to where it is; try: {try_it}")
        }
    }
}
