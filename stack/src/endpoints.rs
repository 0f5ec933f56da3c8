//! Endpoints: where the parts of a running stack listen, and how each role logs in to them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::database::{Database, Tls};
use crate::layout::{self, CONSOLE, LOOPBACK, Role};
use crate::secret::SecretSource;
use crate::version::Version;

/// Longest login through the pooler, which a request may wait for.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest direct login, which no request waits for. The first one to a new database takes seconds on a
/// busy machine.
const DIRECT_LOGIN_TIMEOUT: Duration = Duration::from_secs(20);

/// One of the two programs, as it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: Version,
}

/// A running stack as plain data. The passwords stay in the files under `data`, and the right to read those is the
/// right to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The data folder.
    pub data: PathBuf,
    /// PostgreSQL itself.
    pub postgres: Instance,
    /// PgBouncer.
    pub pooler: Instance,
}

/// How each role logs in to a stack that runs. The passwords stay in the files under `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logins {
    /// The data folder.
    pub data: PathBuf,
    /// PostgreSQL's port on 127.0.0.1.
    pub postgres_port: u16,
    /// PgBouncer's.
    pub pooler_port: u16,
}

impl Endpoints {
    /// Through PgBouncer to `database`, as the role that serves requests.
    pub fn runtime(&self, database: &str) -> Database {
        self.logins().runtime(database)
    }

    /// Directly to `database`, as the role that serves requests: what `serve` does without a pooler.
    pub fn runtime_direct(&self, database: &str) -> Database {
        self.logins().runtime_direct(database)
    }

    /// Directly to `database`, as the owner of the schema.
    pub fn owner(&self, database: &str) -> Database {
        self.logins().owner(database)
    }

    /// Directly to `database`, as PostgreSQL's superuser.
    pub fn superuser(&self, database: &str) -> Database {
        self.logins().direct(database, layout::SUPERUSER)
    }

    /// Directly to `database`, as the role that reads statistics.
    pub fn monitor(&self, database: &str) -> Database {
        self.logins().monitor(database)
    }

    /// PgBouncer's console, as the user that may only look.
    pub fn pooler_statistics(&self) -> Database {
        self.logins().pooler_statistics()
    }

    /// PgBouncer's console, as the user that may also pause, reload and kill.
    pub fn pooler_admin(&self) -> Database {
        self.logins().pooled(CONSOLE, layout::POOLER_ADMIN)
    }

    /// The secret that ids are derived with.
    pub fn idempotency_secret(&self) -> SecretSource {
        SecretSource::File(layout::secret(&self.data, layout::IDEMPOTENCY))
    }

    fn logins(&self) -> Logins {
        Logins {
            data: self.data.clone(),
            postgres_port: self.postgres.port,
            pooler_port: self.pooler.port,
        }
    }
}

impl Logins {
    /// Through PgBouncer to `database`, as the role that serves requests.
    pub fn runtime(&self, database: &str) -> Database {
        self.pooled(database, layout::RUNTIME)
    }

    /// Directly to `database`, as the owner of the schema.
    pub fn owner(&self, database: &str) -> Database {
        self.direct(database, layout::OWNER)
    }

    /// Directly to `database`, as the role that reads statistics.
    pub fn monitor(&self, database: &str) -> Database {
        self.direct(database, layout::MONITOR)
    }

    /// PgBouncer's console, as the user that may only look.
    pub fn pooler_statistics(&self) -> Database {
        self.pooled(CONSOLE, layout::MONITOR)
    }

    fn runtime_direct(&self, database: &str) -> Database {
        Database {
            connect_timeout: LOGIN_TIMEOUT,
            ..self.direct(database, layout::RUNTIME)
        }
    }

    fn pooled(&self, database: &str, role: Role) -> Database {
        self.login(self.pooler_port, database, role, LOGIN_TIMEOUT)
    }

    fn direct(&self, database: &str, role: Role) -> Database {
        self.login(self.postgres_port, database, role, DIRECT_LOGIN_TIMEOUT)
    }

    fn login(&self, port: u16, dbname: &str, role: Role, connect_timeout: Duration) -> Database {
        Database {
            host: LOOPBACK.to_string(),
            port,
            dbname: dbname.to_owned(),
            user: role.name.to_owned(),
            password: Some(SecretSource::File(layout::secret(&self.data, role.secret))),
            tls: Tls::Off,
            connect_timeout,
        }
    }
}
