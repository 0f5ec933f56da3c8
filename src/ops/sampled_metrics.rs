//! Metrics of PgBouncer and PostgreSQL as they were sampled last, under OpenTelemetry's names where it has them, and of
//! this process.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::figures::{OpenDescriptors, PgBouncer, Postgres, Process, Sampled};
use super::gauges::Gauges;
use crate::store::Samples;

/// Age in seconds from which on figures are not shown: an alert on them would stay as they left it. The alert
/// `DatabaseNotSampled` says so then.
const AGE_MAX: f64 = 60.0;

/// The last samples, in a registry.
#[derive(Debug)]
pub struct SampledMetrics(pub Samples);

/// This process, in a registry: under the names that Prometheus' own libraries give it.
#[derive(Debug)]
pub struct ProcessMetrics {
    /// Memory that the server may use, in bytes.
    pub memory_limit: u64,
    /// As they are counted for `/figures`.
    pub descriptors: OpenDescriptors,
}

impl Collector for SampledMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut gauges = Gauges(&mut encoder);
        if let Some(pgbouncer) = self.0.pgbouncer() {
            encode_state(&mut gauges, "pgbouncer", &pgbouncer)?;
            if let Some(figures) = pgbouncer.recent(AGE_MAX) {
                encode_pgbouncer(&mut gauges, figures)?;
            }
        }
        let postgres = self.0.postgres();
        encode_state(&mut gauges, "postgresql", &postgres)?;
        match postgres.recent(AGE_MAX) {
            Some(figures) => encode_postgres(&mut gauges, figures),
            None => Ok(()),
        }
    }
}

/// What is known of a peer before it has ever answered, too.
fn encode_state<F>(to: &mut Gauges<'_, '_>, whose: &str, of: &Sampled<F>) -> fmt::Result {
    to.gauge(
        &format!("{whose}_up"),
        "1 when the last sample succeeded.",
        f64::from(u8::from(of.error.is_none())),
    )?;
    to.gauge(
        &format!("{whose}_sample_age_seconds"),
        "Age of these figures; before the first, the time without.",
        of.age_seconds,
    )
}

fn encode_pgbouncer(to: &mut Gauges<'_, '_>, from: &PgBouncer) -> fmt::Result {
    to.gauges(
        "pgbouncer_clients",
        "Client connections of this server's pool.",
        "state",
        &[
            ("active", from.clients_active as f64),
            ("waiting", from.clients_waiting as f64),
        ],
    )?;
    to.gauge(
        "pgbouncer_client_connections",
        "Client connections of all pools.",
        from.clients as f64,
    )?;
    for (name, help, limit) in [
        (
            "pgbouncer_client_connection_max",
            "Most client connections.",
            from.max_client_conn,
        ),
        (
            "pgbouncer_pool_size",
            "Most server connections of a pool.",
            from.pool_size,
        ),
    ] {
        // One that is not known is not 0, against which everything is full.
        if limit > 0 {
            to.gauge(name, help, limit as f64)?;
        }
    }
    to.gauges(
        "pgbouncer_servers",
        "Server connections of this server's pool.",
        "state",
        &[
            ("active", from.servers_active as f64),
            ("idle", from.servers_idle as f64),
            ("login", from.servers_login as f64),
            ("used", from.servers_used as f64),
        ],
    )?;
    to.gauge(
        "pgbouncer_maxwait_seconds",
        "Wait of the client that waits longest.",
        from.maxwait_seconds,
    )?;
    to.counter(
        "pgbouncer_wait_seconds",
        "Time that clients have waited for a server connection.",
        from.wait_seconds,
    )?;
    to.counter(
        "pgbouncer_query_seconds",
        "Time that queries have taken.",
        from.query_seconds,
    )?;
    to.counter(
        "pgbouncer_transactions",
        "Transactions.",
        from.transactions as f64,
    )?;
    to.counter("pgbouncer_queries", "Queries.", from.queries as f64)
}

fn encode_postgres(to: &mut Gauges<'_, '_>, from: &Postgres) -> fmt::Result {
    encode_sessions(to, from)?;
    encode_database(to, from)?;
    to.counter(
        "postgresql_wal_bytes",
        "Write-ahead log that was written.",
        from.wal_bytes,
    )?;
    to.counters(
        "postgresql_checkpoints",
        "Checkpoints: scheduled ones by time, requested ones most often by a full log.",
        "type",
        &[
            ("requested", from.checkpoints_requested as f64),
            ("scheduled", from.checkpoints_timed as f64),
        ],
    )?;
    to.gauge(
        "postgresql_replication_slots",
        "Replication slots.",
        from.replication_slots as f64,
    )?;
    to.gauge(
        "postgresql_replication_slot_max",
        "Most replication slots.",
        from.max_replication_slots as f64,
    )
}

fn encode_sessions(to: &mut Gauges<'_, '_>, from: &Postgres) -> fmt::Result {
    let idle = from.connections - from.active - from.idle_in_transaction;
    to.gauges(
        "postgresql_backends",
        "Client connections of the whole server.",
        "state",
        &[
            ("active", from.active as f64),
            ("idle", idle as f64),
            ("idle_in_transaction", from.idle_in_transaction as f64),
        ],
    )?;
    to.gauge(
        "postgresql_connection_max",
        "Most connections, reserved ones among them.",
        from.max_connections as f64,
    )?;
    to.gauge(
        "postgresql_connection_reserved",
        "Connections that are kept for administrators.",
        from.reserved as f64,
    )?;
    let waits: Vec<(&str, f64)> = (from.waits.iter())
        .map(|(class, backends)| (class.as_str(), *backends as f64))
        .collect();
    to.gauges(
        "postgresql_waits",
        "Active connections to this database by what they wait for; cpu for nothing.",
        "class",
        &waits,
    )?;
    to.gauges(
        "postgresql_longest_seconds",
        "Age of the oldest of each kind.",
        "of",
        &[
            ("idle_transaction", from.longest_idle_transaction_seconds),
            ("statement", from.longest_statement_seconds),
            ("transaction", from.longest_transaction_seconds),
        ],
    )
}

fn encode_database(to: &mut Gauges<'_, '_>, from: &Postgres) -> fmt::Result {
    to.counters(
        "postgresql_blocks",
        "Blocks of this database, by where they were found.",
        "source",
        &[
            ("shared_buffers", from.blocks_hit as f64),
            ("system", from.blocks_read as f64),
        ],
    )?;
    to.counters(
        "postgresql_table_blocks",
        "Blocks of this database's tables, by where they were found.",
        "source",
        &[
            ("shared_buffers", from.table_blocks_hit as f64),
            ("system", from.table_blocks_read as f64),
        ],
    )?;
    for (name, help, value) in [
        ("postgresql_commits", "Commits.", from.commits),
        ("postgresql_rollbacks", "Rollbacks.", from.rollbacks),
        ("postgresql_deadlocks", "Deadlocks.", from.deadlocks),
        (
            "postgresql_temp_bytes",
            "Bytes of temporary files.",
            from.temporary_bytes,
        ),
    ] {
        to.counter(name, help, value as f64)?;
    }
    to.gauge(
        "postgresql_db_size_bytes",
        "Size of this database.",
        from.database_bytes as f64,
    )?;
    to.gauges(
        "postgresql_rows",
        "Rows of the table warrior, estimated.",
        "state",
        &[
            ("dead", from.dead_rows as f64),
            ("live", from.live_rows as f64),
        ],
    )?;
    match from.pending_list_bytes {
        Some(bytes) => to.gauge(
            "postgresql_pending_list_bytes",
            "Bytes in the pending lists of the search indexes.",
            bytes as f64,
        ),
        None => Ok(()),
    }
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(process) = Process::read(self.memory_limit, &self.descriptors) else {
            return Ok(());
        };
        let mut to = Gauges(&mut encoder);
        to.counter(
            "process_cpu_seconds",
            "Processor time of this process.",
            process.cpu_seconds,
        )?;
        to.gauge(
            "process_resident_memory_bytes",
            "Memory that this process has.",
            process.resident_bytes as f64,
        )?;
        to.gauge(
            "process_memory_limit_bytes",
            "Memory that the server may use.",
            self.memory_limit as f64,
        )?;
        to.gauge(
            "process_open_fds",
            "Open file descriptors.",
            process.descriptors as f64,
        )?;
        to.gauge(
            "process_max_fds",
            "Most open file descriptors.",
            process.descriptors_max as f64,
        )?;
        to.gauge("process_threads", "Threads.", process.threads as f64)?;
        to.gauge(
            "process_start_time_seconds",
            "When this process started, in seconds since 1970.",
            process.start_time_seconds,
        )
    }
}
