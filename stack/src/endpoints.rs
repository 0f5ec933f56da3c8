//! Where the parts of a running stack listen, and how each role reaches them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::database::{Database, Tls};
use crate::programs::Version;
use crate::secret::SecretSource;
use crate::secrets;

/// The database that the stack makes.
pub const DATABASE: &str = "warrior_api";
/// PgBouncer's console is a database of this name.
const CONSOLE: &str = "pgbouncer";

/// A running stack as plain data. The passwords stay in the files under `data`; whoever may read
/// those may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The data folder.
    pub data: PathBuf,
    /// PostgreSQL itself.
    pub postgres: Instance,
    /// PgBouncer.
    pub pooler: Instance,
}

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: Version,
}

/// Longest login that no request waits for. The first one to a new database takes seconds on a busy machine.
const DIRECT_LOGIN_MAX: Duration = Duration::from_secs(20);

impl Endpoints {
    /// Through PgBouncer to `database`, as the role that serves requests.
    pub fn runtime(&self, database: &str) -> Database {
        self.pooled(database, "warrior", secrets::RUNTIME)
    }

    /// Directly to `database`, as the owner of the schema.
    pub fn owner(&self, database: &str) -> Database {
        self.direct(database, "warrior_owner", secrets::OWNER)
    }

    /// Directly to `database`, as PostgreSQL's superuser.
    pub fn superuser(&self, database: &str) -> Database {
        self.direct(database, crate::cluster::SUPERUSER, secrets::SUPERUSER)
    }

    /// Directly to `database`, as the role that serves requests: what `serve` does without a pooler.
    pub fn runtime_direct(&self, database: &str) -> Database {
        self.database(self.postgres.port, database, "warrior", secrets::RUNTIME)
    }

    /// Directly to `database`, as the role that reads statistics.
    pub fn monitor(&self, database: &str) -> Database {
        self.direct(database, "warrior_monitor", secrets::MONITOR)
    }

    /// PgBouncer's console, as the user that may only look.
    pub fn pooler_statistics(&self) -> Database {
        self.pooled(CONSOLE, "warrior_monitor", secrets::MONITOR)
    }

    /// PgBouncer's console, as the user that may also pause, reload and kill.
    pub fn pooler_admin(&self) -> Database {
        self.pooled(CONSOLE, crate::pooler::ADMIN, secrets::POOLER_ADMIN)
    }

    /// The secret that ids are derived with.
    pub fn idempotency_secret(&self) -> SecretSource {
        secrets::source(&self.data, secrets::IDEMPOTENCY)
    }

    fn pooled(&self, database: &str, user: &str, secret: &str) -> Database {
        self.database(self.pooler.port, database, user, secret)
    }

    fn direct(&self, database: &str, user: &str, secret: &str) -> Database {
        Database {
            connect_timeout: DIRECT_LOGIN_MAX,
            ..self.database(self.postgres.port, database, user, secret)
        }
    }

    fn database(&self, port: u16, dbname: &str, user: &str, secret: &str) -> Database {
        Database {
            host: crate::ports::LOOPBACK.to_string(),
            port,
            dbname: dbname.to_owned(),
            user: user.to_owned(),
            password: Some(secrets::source(&self.data, secret)),
            tls: Tls::Off,
            connect_timeout: Duration::from_secs(2),
        }
    }
}
