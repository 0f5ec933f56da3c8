//! The database in figures: the connection pool, PgBouncer and PostgreSQL.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// r2d2's pool. Counters are since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct R2d2Figures {
    /// Most connections.
    pub max: usize,
    /// Connections that nobody uses now.
    pub idle: i64,
    /// Connections in use now.
    pub used: i64,
    /// Connections that were handed out.
    pub checkouts: u64,
    /// Time that workers waited for them, in vain or not.
    pub wait_seconds: f64,
    /// Time that workers held them.
    pub use_seconds: f64,
    /// Workers that waited in vain.
    pub timeouts: u64,
    /// Logins that succeeded.
    pub created: u64,
    /// Time that they took.
    pub create_seconds: f64,
}

/// A peer that is sampled: its figures, once it has answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled<F> {
    /// Why the last sample failed; none when it did not.
    pub error: Option<String>,
    /// Age of the figures in seconds; before the first ones, the time that was spent without.
    pub age_seconds: f64,
    /// Of the last sample that did not fail. A counter that begins at its total has not gone up by it, so that nothing is
    /// told before.
    #[serde(flatten)]
    pub figures: Option<F>,
}

impl<F> Sampled<F> {
    /// The figures, when the last sample gave them, and less than `age_max` seconds ago.
    pub fn fresh(&self, age_max: f64) -> Option<&F> {
        self.recent(age_max).filter(|_| self.error.is_none())
    }

    /// The figures of the last sample that gave some, less than `age_max` seconds ago.
    pub fn recent(&self, age_max: f64) -> Option<&F> {
        let is_recent = self.age_seconds < age_max;
        self.figures.as_ref().filter(|_| is_recent)
    }
}

/// PgBouncer, as its console shows the pools of this server's database. Counters are its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PgBouncerFigures {
    /// Its version.
    pub version: String,
    /// `session`, `transaction` or `statement`.
    pub pool_mode: String,
    /// Most server connections of a pool; 0 when it is not told.
    pub pool_size: u64,
    /// Most client connections, of all databases and users; 0 when it is not told.
    pub max_client_conn: u64,
    /// Client connections of all databases, this server's statistics among them.
    pub clients: u64,
    /// Clients that have a server connection, or need none now.
    pub clients_active: u64,
    /// Clients that wait for a server connection.
    pub clients_waiting: u64,
    /// Server connections that are lent to a client.
    pub servers_active: u64,
    /// Server connections that can be lent at once.
    pub servers_idle: u64,
    /// Server connections that are checked before they are lent.
    pub servers_used: u64,
    /// Server connections that log in.
    pub servers_login: u64,
    /// Wait of the client that has waited longest.
    pub maxwait_seconds: f64,
    /// Time that clients have waited for server connections.
    pub wait_seconds: f64,
    /// Time that queries have taken.
    pub query_seconds: f64,
    /// Transactions.
    pub transactions: u64,
    /// Queries.
    pub queries: u64,
}

/// PostgreSQL, as its statistics show the whole server and this database. Counters are its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostgresFigures {
    /// Whether it is reached over the loopback: its processors are then this machine's.
    pub is_local: bool,
    /// Its version.
    pub version: String,
    /// Most connections, reserved ones among them.
    pub max_connections: i64,
    /// Connections that are kept for superusers and roles with the right to them.
    pub reserved: i64,
    /// Client connections now, that of the sampler among them.
    pub connections: i64,
    /// Those that run a statement.
    pub active: i64,
    /// Those whose transaction is open and runs no statement.
    pub idle_in_transaction: i64,
    /// Active ones of this database by the type of what they wait for; `cpu` when for nothing.
    pub waits: BTreeMap<String, i64>,
    /// Those of this database that wait for another session's lock.
    pub blocked: i64,
    /// The longest wait of these.
    pub longest_lock_wait_seconds: f64,
    /// Age of the oldest statement that runs.
    pub longest_statement_seconds: f64,
    /// Age of the oldest transaction.
    pub longest_transaction_seconds: f64,
    /// Age of the oldest transaction that runs no statement, since its last one.
    pub longest_idle_transaction_seconds: f64,
    /// Blocks of this database found in shared buffers.
    pub blocks_hit: i64,
    /// Blocks of this database asked of the system.
    pub blocks_read: i64,
    /// Blocks of this database's tables, without their indexes, found in shared buffers.
    pub table_blocks_hit: i64,
    /// Blocks of this database's tables, without their indexes, asked of the system.
    pub table_blocks_read: i64,
    /// Bytes of temporary files of this database.
    pub temporary_bytes: i64,
    /// Deadlocks in this database.
    pub deadlocks: i64,
    /// Transactions of this database that were committed.
    pub commits: i64,
    /// Transactions of this database that were rolled back.
    pub rollbacks: i64,
    /// Size of this database.
    pub database_bytes: i64,
    /// Write-ahead log since the statistics were reset.
    pub wal_bytes: f64,
    /// Checkpoints that were due by time.
    pub checkpoints_timed: i64,
    /// Checkpoints that were asked for, most often by a full log.
    pub checkpoints_requested: i64,
    /// Live rows of the table warrior, estimated.
    pub live_rows: i64,
    /// Dead rows of the table warrior, estimated.
    pub dead_rows: i64,
    /// Bytes that were written to the pending lists of the search indexes and not flushed yet; none where the schema has no
    /// such lists, or none of ours is there.
    pub pending_list_bytes: Option<i64>,
    /// Replication slots that exist.
    pub replication_slots: i64,
    /// Most replication slots.
    pub max_replication_slots: i64,
}

#[cfg(test)]
mod tests {
    use super::Sampled;

    #[test]
    fn figures_that_are_old_are_not_shown_as_those_of_now() {
        let sampled = |error: Option<&str>, age_seconds| Sampled {
            error: error.map(str::to_owned),
            age_seconds,
            figures: Some(7),
        };
        for (error, age, fresh, recent) in [
            (None, 2.0, Some(&7), Some(&7)),
            (Some("refused"), 2.0, None, Some(&7)),
            (None, 60.0, None, None),
            (Some("refused"), 90.0, None, None),
        ] {
            let sampled = sampled(error, age);
            assert_eq!((sampled.fresh(60.0), sampled.recent(60.0)), (fresh, recent));
        }
    }
}
