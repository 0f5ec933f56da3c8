//! A sample of PostgreSQL: its statistics views, read as a role of `pg_monitor`.

use std::collections::BTreeMap;

use postgres::{Client, Row};

use super::link::Trouble;
use crate::store::PostgresFigures;
use crate::store::postgres::login::Login;
use crate::store::postgres::refusal::Refusal;

const LIMITS: &str = include_str!("../../sql/monitor/limits.sql");
const ACTIVITY: &str = include_str!("../../sql/monitor/activity.sql");
const WAITS: &str = include_str!("../../sql/monitor/waits.sql");
const BLOCKED: &str = include_str!("../../sql/monitor/blocked.sql");
const DATABASE: &str = include_str!("../../sql/monitor/database.sql");
const CHECKPOINTS: &str = include_str!("../../sql/monitor/checkpoints.sql");
const CHECKPOINTS_BEFORE_17: &str = include_str!("../../sql/monitor/checkpoints_before_17.sql");
const PENDING: &str = include_str!("../../sql/monitor/pending.sql");

/// Classes that are shown also while nobody waits: a series that comes and goes cannot be compared.
const CLASSES: [&str; 9] = [
    "cpu",
    "BufferPin",
    "Client",
    "Extension",
    "IO",
    "IPC",
    "LWLock",
    "Lock",
    "Timeout",
];

/// Bounds of a session whose client may be gone before the server knows: a backend that waits for a lock does not notice.
/// They are below the time that the client waits.
const BOUNDS: &str = "set lock_timeout = '500ms'; set statement_timeout = '1500ms'";

/// Bounds the statements of a login, which must have a backend of its own: a pooler would lend the bounds to others, and
/// its clients are not PostgreSQL's.
pub(super) fn prepare(login: &mut Login) -> Result<(), Trouble> {
    let rows = login
        .client
        .query_typed("select pg_catalog.pg_backend_pid()", &[])?;
    let backend: Option<i32> = rows.first().map(|row| row.try_get(0)).transpose()?;
    if backend.is_none() || backend != login.promise.backend() {
        return Err(Trouble {
            why: "this is a pooler, and PostgreSQL's own statistics are read without one; set \
                  POSTGRES_DIRECT_HOST and POSTGRES_DIRECT_PORT to PostgreSQL itself"
                .to_owned(),
            refusal: Refusal::Unreachable,
        });
    }
    Ok(login.client.batch_execute(BOUNDS)?)
}

/// The whole server, and the database that the client is connected to.
pub(super) fn sample(client: &mut Client) -> Result<PostgresFigures, postgres::Error> {
    let limits = client.query_typed(LIMITS, &[])?;
    let activity = client.query_typed(ACTIVITY, &[])?;
    let database = client.query_typed(DATABASE, &[])?;
    let mut figures = PostgresFigures {
        waits: waits(client)?,
        ..PostgresFigures::default()
    };
    let (mut number, mut has_lists) = (0, false);
    if let Some(row) = limits.first() {
        (number, has_lists) = (row.try_get("number")?, row.try_get("has_lists")?);
        add_limits(&mut figures, row)?;
    }
    if let Some(row) = activity.first() {
        add_activity(&mut figures, row)?;
    }
    if let Some(row) = database.first() {
        add_database(&mut figures, row)?;
    }
    let sql = match number {
        ..170_000 => CHECKPOINTS_BEFORE_17,
        _ => CHECKPOINTS,
    };
    if let Some(row) = client.query_typed(sql, &[])?.first() {
        figures.checkpoints_timed = row.try_get("timed")?;
        figures.checkpoints_requested = row.try_get("requested")?;
        figures.wal_bytes = row.try_get("wal_bytes")?;
    }
    if let Some(row) = client.query_typed(BLOCKED, &[])?.first() {
        figures.blocked = row.try_get("blocked")?;
        figures.longest_lock_wait_seconds = row.try_get("longest")?;
    }
    // Last: it alone reads a table, whose lock somebody may hold.
    if has_lists {
        figures.pending_list_bytes = pending(client)?;
    }
    Ok(figures)
}

fn add_limits(figures: &mut PostgresFigures, row: &Row) -> Result<(), postgres::Error> {
    figures.version = row.try_get("version")?;
    figures.max_connections = row.try_get("max_connections")?;
    figures.reserved = row.try_get("reserved")?;
    figures.replication_slots = row.try_get("replication_slots")?;
    figures.max_replication_slots = row.try_get("max_replication_slots")?;
    Ok(())
}

fn add_activity(figures: &mut PostgresFigures, row: &Row) -> Result<(), postgres::Error> {
    figures.connections = row.try_get("connections")?;
    figures.active = row.try_get("active")?;
    figures.idle_in_transaction = row.try_get("idle_in_transaction")?;
    figures.longest_statement_seconds = row.try_get("longest_statement")?;
    figures.longest_transaction_seconds = row.try_get("longest_transaction")?;
    figures.longest_idle_transaction_seconds = row.try_get("longest_idle_transaction")?;
    Ok(())
}

fn add_database(figures: &mut PostgresFigures, row: &Row) -> Result<(), postgres::Error> {
    figures.blocks_hit = row.try_get("blocks_hit")?;
    figures.blocks_read = row.try_get("blocks_read")?;
    figures.table_blocks_hit = row.try_get("table_blocks_hit")?;
    figures.table_blocks_read = row.try_get("table_blocks_read")?;
    figures.temporary_bytes = row.try_get("temporary_bytes")?;
    figures.deadlocks = row.try_get("deadlocks")?;
    figures.commits = row.try_get("commits")?;
    figures.rollbacks = row.try_get("rollbacks")?;
    figures.database_bytes = row.try_get("database_bytes")?;
    figures.live_rows = row.try_get("live_rows")?;
    figures.dead_rows = row.try_get("dead_rows")?;
    Ok(())
}

fn waits(client: &mut Client) -> Result<BTreeMap<String, i64>, postgres::Error> {
    let mut waits = BTreeMap::from(CLASSES.map(|class| (class.to_owned(), 0)));
    for row in client.query_typed(WAITS, &[])? {
        waits.insert(row.try_get("class")?, row.try_get("backends")?);
    }
    Ok(waits)
}

/// None where the role may not read the count, and while somebody locks it.
fn pending(client: &mut Client) -> Result<Option<i64>, postgres::Error> {
    match client.query_typed(PENDING, &[]) {
        Ok(rows) => rows.first().map(|row| row.try_get("waiting")).transpose(),
        Err(e) if e.as_db_error().is_some() && !client.is_closed() => Ok(None),
        Err(e) => Err(e),
    }
}
