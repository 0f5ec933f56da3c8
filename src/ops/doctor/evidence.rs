//! Evidence: what was seen, before anything is judged. Whoever judges it asks nothing more.

use std::path::PathBuf;
use std::time::Duration;

use super::finding::Unseen;
use crate::config::Sizes;
use crate::store::Readiness;
use crate::store::schema::Examination;

/// A part that was looked at, or why it was not.
pub(super) type Seen<T> = Result<T, Unseen>;

/// All that was seen.
pub(super) struct Evidence {
    pub(super) asked: Asked,
    pub(super) serving: Serving,
    /// None without a pooler.
    pub(super) console: Option<Seen<Console>>,
    pub(super) schema: Seen<Schema>,
    pub(super) database: Seen<Database>,
    pub(super) server: Seen<Server>,
    pub(super) files: Files,
}

/// What the server is configured with.
pub(super) struct Asked {
    pub(super) sizes: Sizes,
    /// Connections of the server: as it says itself, or as it is configured here.
    pub(super) connections: usize,
    pub(super) deadline: Duration,
    pub(super) tls: bool,
    /// Whether the host of requests has an address that is neither loopback nor private.
    pub(super) public_host: bool,
    pub(super) own_secret: bool,
    /// The role that serves and the database, as SQL writes their names.
    pub(super) role: String,
    pub(super) dbname: String,
    /// The descriptors that a server may have which is started as this command was.
    pub(super) descriptors_max: Option<usize>,
}

/// The way of requests to the database.
#[derive(Default)]
pub(super) struct Serving {
    /// Why nobody is let in, and what to do.
    pub(super) refused: Option<(String, String)>,
    /// Whether that is a pooler which lets us in and answers nothing, without a failed login behind it.
    pub(super) silent: bool,
    /// Whether it leads to PostgreSQL itself, past every pooler.
    pub(super) direct: bool,
    pub(super) readiness: Option<Readiness>,
    pub(super) settings: Vec<Setting>,
    /// What could not be looked at on the way.
    pub(super) unseen: Vec<Unseen>,
}

/// A setting in force on a connection that serves.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it comes from, as PostgreSQL calls it: `user`, `database`, `configuration file`, `session`.
    pub(super) source: String,
}

/// PgBouncer, as its console tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Console {
    pub(super) version: String,
    /// `SHOW CONFIG`, name and value.
    pub(super) config: Vec<(String, String)>,
    /// Of the database that is served.
    pub(super) pool_size: Option<i64>,
    pub(super) database_max: Option<i64>,
    pub(super) pool_mode: Option<String>,
    /// The command that lets requests in again, where somebody has stopped them there.
    pub(super) stopped: Option<&'static str>,
    /// Connections to PostgreSQL that it has, or is opening, for the role that serves.
    pub(super) servers: i64,
    pub(super) clients_waiting: i64,
    /// Seconds that the first of them has waited.
    pub(super) waits: f64,
}

/// The schema, and the role that serves.
#[derive(Default)]
pub(super) struct Schema {
    /// Why the database, or the schema in it, is none that this program can look at.
    pub(super) foreign: Option<String>,
    /// The encoding or the locale is one that the API cannot work with.
    pub(super) locale: Option<String>,
    /// Statements that hand over what belongs to a role that the owner is no member of.
    pub(super) not_ours: Vec<String>,
    pub(super) examination: Option<Examination>,
    /// None where there is no such table, and where it is unseen.
    pub(super) has_secret: Option<bool>,
    /// What of it could not be looked at.
    pub(super) unseen: Vec<Unseen>,
    /// None where there is no such role.
    pub(super) role: Option<Role>,
}

/// The role that serves requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    pub(super) powers: Vec<String>,
    /// The cluster was made with it.
    pub(super) first: bool,
    pub(super) connection_limit: i32,
    pub(super) missing: Vec<String>,
    pub(super) schema_open: bool,
}

/// PostgreSQL, as it tells of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Database {
    pub(super) version: String,
    /// Seconds by which its clock is ahead of this machine's, and how long the question took.
    pub(super) ahead: f64,
    pub(super) took: f64,
    pub(super) sees_all: bool,
    pub(super) fsync: bool,
    pub(super) full_page_writes: bool,
    pub(super) autovacuum: bool,
    pub(super) shared_buffers: String,
    pub(super) max_connections: i32,
    pub(super) reserved: i32,
    pub(super) connections: i32,
    pub(super) connection_limit: i32,
    pub(super) blocks_hit: i64,
    pub(super) blocks_read: i64,
    pub(super) age: i64,
    pub(super) collation: (Option<String>, Option<String>),
    /// None where there is no table.
    pub(super) table: Option<Table>,
    /// None without the schema, and where it is unseen.
    pub(super) pending_bytes: Option<i64>,
    pub(super) transactions: Vec<Transaction>,
    /// Replication slots that nobody uses and that keep more WAL than `max_wal_size`, and how much.
    pub(super) slots: Vec<(String, String)>,
    pub(super) prepared: Vec<Prepared>,
    /// What of it could not be looked at.
    pub(super) unseen: Vec<Unseen>,
}

/// A two-phase transaction that waits for its second phase.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    /// Its name, which is any text.
    pub(super) gid: String,
    pub(super) role: String,
    /// Seconds since it was prepared.
    pub(super) age: f64,
}

/// The table, as vacuum and the planner know it.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Below zero before the first vacuum or analyze.
    pub(super) rows: f64,
    pub(super) live: i64,
    pub(super) dead: i64,
    pub(super) changed: i64,
    pub(super) analyzed: bool,
    pub(super) autovacuum_off: bool,
}

/// An open transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Transaction {
    pub(super) pid: i32,
    pub(super) role: String,
    pub(super) application: String,
    pub(super) idle: bool,
    /// Seconds since it began, since its session last changed its state, and since it waits for a lock.
    pub(super) open: f64,
    pub(super) since: f64,
    pub(super) waits: f64,
    pub(super) blockers: Vec<i32>,
    /// Two-phase transactions that it waits for, which have no process: `blockers` has 0 for them.
    pub(super) prepared: Vec<String>,
}

/// A running server, by its admin listener.
#[derive(Debug)]
pub(super) struct Server {
    /// Why it is not ready.
    pub(super) not_ready: Option<String>,
    /// What it tells of itself, or why that is unseen.
    pub(super) figures: Seen<Figures>,
}

/// The part of `/figures` that is judged here.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Figures {
    pub(super) r2d2: Option<Pool>,
    pub(super) process: Option<Process>,
    pub(super) binds: Option<Binds>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Pool {
    pub(super) max: usize,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Process {
    pub(super) descriptors_max: Option<usize>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Binds {
    pub(super) limit: String,
    pub(super) sentence: String,
}

/// What the machine of the doctor shows.
#[derive(Default)]
pub(super) struct Files {
    /// Secrets that others can read.
    pub(super) open: Vec<PathBuf>,
    /// Of the embedded stack's disk: bytes that are free, and in all.
    pub(super) disk: Option<(u64, u64)>,
    /// The sizes that `up` has written down for the embedded PgBouncer.
    pub(super) pooler_ini: Option<String>,
    /// Descriptors that the embedded PgBouncer may open.
    pub(super) pooler_descriptors: Option<u64>,
    /// What could not be looked at.
    pub(super) unseen: Vec<Unseen>,
}
