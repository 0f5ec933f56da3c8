//! The layout of a stack: every path, role, database and secret under its one name. A leaf.
//!
//! ```text
//! data/            0700, one owner, one lock
//!   lock           held by the process that runs the stack
//!   pg.made        says that there was a cluster: where it is gone, no empty one takes its place
//!   pg/            the cluster; postgresql.conf and pg_hba.conf are written anew at each start
//!   pgbouncer/     pgbouncer.ini as shipped, stack.ini and userlist.txt made at each start
//!   secrets/       one generated password a file, kept across runs
//!   log/           what both printed since the last start, and during the run before (.1)
//! ```

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The only address that a stack listens on.
pub(crate) const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The database that a stack makes.
pub const DATABASE: &str = "warrior_api";
/// PgBouncer's console is a database of this name.
pub(crate) const CONSOLE: &str = "pgbouncer";

/// A login of the stack.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// The name in PostgreSQL or PgBouncer.
    pub name: &'static str,
    /// The file of its password, below `secrets/`.
    pub(crate) secret: &'static str,
}

/// PostgreSQL's superuser, which initdb makes and which logs in over loopback with SCRAM, as all roles do.
pub(crate) const SUPERUSER: Role = Role {
    name: "postgres",
    secret: "superuser.password",
};
/// The owner of the schema, a role for migrations alone, which log in past the pooler. `roles.sql` makes this role
/// and the next two.
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
pub(crate) const POOLER_ADMIN: Role = Role {
    name: "pooler_admin",
    secret: "pooler_admin.password",
};

/// The file of the secret that ids are derived with.
pub(crate) const IDEMPOTENCY: &str = "idempotency.secret";

/// The files of all secrets.
pub(crate) const SECRETS: [&str; 6] = [
    SUPERUSER.secret,
    OWNER.secret,
    RUNTIME.secret,
    MONITOR.secret,
    POOLER_ADMIN.secret,
    IDEMPOTENCY,
];

/// The cluster, PostgreSQL's own folder.
pub fn cluster(data: &Path) -> PathBuf {
    data.join("pg")
}

/// A mark that there was a cluster.
pub(crate) fn cluster_made(data: &Path) -> PathBuf {
    data.join("pg.made")
}

/// Where the postmaster writes its process id and its state.
pub fn postmaster_pid(data: &Path) -> PathBuf {
    cluster(data).join("postmaster.pid")
}

/// PgBouncer's own folder.
pub(crate) fn pooler(data: &Path) -> PathBuf {
    data.join("pgbouncer")
}

/// The file that PgBouncer is started with; its path is also how a leftover is recognised.
pub fn pooler_ini(data: &Path) -> PathBuf {
    pooler(data).join("stack.ini")
}

/// The users that may log in to PgBouncer, with their SCRAM secrets.
pub(crate) fn user_list(data: &Path) -> PathBuf {
    pooler(data).join("userlist.txt")
}

/// Where PgBouncer writes its process id.
pub fn pooler_pid(data: &Path) -> PathBuf {
    pooler(data).join("pgbouncer.pid")
}

/// Where the process that runs a server with the stack says where its admin listener is.
pub(crate) fn admin(data: &Path) -> PathBuf {
    data.join("admin.address")
}

/// The folder of the secrets.
pub(crate) fn secrets(data: &Path) -> PathBuf {
    data.join("secrets")
}

/// The file of the secret `name`.
pub(crate) fn secret(data: &Path, name: &str) -> PathBuf {
    secrets(data).join(name)
}

/// The folder of the logs.
pub(crate) fn logs(data: &Path) -> PathBuf {
    data.join("log")
}

/// PostgreSQL's log.
pub(crate) fn postgres_log(data: &Path) -> PathBuf {
    logs(data).join("postgresql.log")
}

/// PgBouncer's log.
pub fn pooler_log(data: &Path) -> PathBuf {
    logs(data).join("pgbouncer.log")
}
