//! The layout of a stack: every path, role, database and secret under its one name. A leaf.
//!
//! ```text
//! data/            0700, one owner, one lock
//!   lock           held by the process that runs the stack
//!   pg/            the cluster; postgresql.conf and pg_hba.conf are written anew at each start
//!   pgbouncer/     pgbouncer.ini as shipped, stack.ini and userlist.txt made at each start
//!   secrets/       one generated password a file, kept across runs
//!   log/           what both printed since the last start, and during the run before (.1)
//! ```

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::version::Version;

/// The only address that a stack listens on.
pub const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The database that a stack makes.
pub const DATABASE: &str = "warrior_api";
/// PgBouncer's console is a database of this name.
pub const CONSOLE: &str = "pgbouncer";

/// A login of the stack.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// The name in PostgreSQL or PgBouncer.
    pub name: &'static str,
    /// The file of its password, below `secrets/`.
    pub secret: &'static str,
}

/// PostgreSQL's superuser, which initdb makes. Its logins come over loopback with SCRAM, as all others do.
pub const SUPERUSER: Role = Role {
    name: "postgres",
    secret: "superuser.password",
};
/// The owner of the schema, who connects past the pooler, for migrations alone. `roles.sql` makes this role and
/// the next two.
pub const OWNER: Role = Role {
    name: "warrior_owner",
    secret: "owner.password",
};
/// The role that serves requests.
pub const RUNTIME: Role = Role {
    name: "warrior",
    secret: "warrior.password",
};
/// The role that reads statistics.
pub const MONITOR: Role = Role {
    name: "warrior_monitor",
    secret: "monitor.password",
};
/// The administrator of PgBouncer's console; PostgreSQL has no such role.
pub const POOLER_ADMIN: Role = Role {
    name: "pooler_admin",
    secret: "pooler_admin.password",
};

/// The file of the secret that ids are derived with.
pub const IDEMPOTENCY: &str = "idempotency.secret";

/// The files of all secrets.
pub const SECRETS: [&str; 6] = [
    SUPERUSER.secret,
    OWNER.secret,
    RUNTIME.secret,
    MONITOR.secret,
    POOLER_ADMIN.secret,
    IDEMPOTENCY,
];

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

/// The cluster, PostgreSQL's own folder.
pub fn cluster(data: &Path) -> PathBuf {
    data.join("pg")
}

/// Where the postmaster writes its process id and its state.
pub fn postmaster_pid(data: &Path) -> PathBuf {
    cluster(data).join("postmaster.pid")
}

/// PgBouncer's own folder.
pub fn pooler(data: &Path) -> PathBuf {
    data.join("pgbouncer")
}

/// The file that PgBouncer is started with; its path is also how a leftover is recognised.
pub fn pooler_ini(data: &Path) -> PathBuf {
    pooler(data).join("stack.ini")
}

/// Where PgBouncer writes its process id.
pub fn pooler_pid(data: &Path) -> PathBuf {
    pooler(data).join("pgbouncer.pid")
}

/// The folder of the secrets.
pub fn secrets(data: &Path) -> PathBuf {
    data.join("secrets")
}

/// The file of the secret `name`.
pub fn secret(data: &Path, name: &str) -> PathBuf {
    secrets(data).join(name)
}

/// The folder of the logs.
pub fn logs(data: &Path) -> PathBuf {
    data.join("log")
}

/// PostgreSQL's log.
pub fn postgres_log(data: &Path) -> PathBuf {
    logs(data).join("postgresql.log")
}

/// PgBouncer's log.
pub fn pooler_log(data: &Path) -> PathBuf {
    logs(data).join("pgbouncer.log")
}
