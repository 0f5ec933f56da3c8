//! What binds in PostgreSQL itself: locks, processors, the disk; and whether it is there.

use super::binds;
use super::window::{SATURATED_WAITING, Window};
use super::wording::{count, doing, seconds, times};
use crate::dispatch::Reason;
use crate::ops::figures::{Binds, Limit, Postgres};

/// Age of a statement above which a lock that it may wait for is no passing one.
const LOCKED_SECONDS: f64 = 0.2;

/// Age of an idle transaction above which it is named as the one that may hold the lock.
const IDLE_SECONDS: f64 = 1.0;

/// Backends that want a core, or the disk, below which a shortage of it cannot be told from one busy backend.
const BACKENDS_MIN: f64 = 1.5;

/// Most of the active backends wait for locks: in both samples, or for a while.
pub(super) fn lock(window: &Window<'_>) -> Option<Binds> {
    let now = window.postgres()?;
    let before = window.earlier.postgres.as_ref();
    let lasts =
        before.is_some_and(|p| p.blocked > 0) || now.longest_statement_seconds >= LOCKED_SECONDS;
    if now.blocked == 0 || !lasts || 2 * now.blocked < now.active {
        return None;
    }
    let holder = match now.longest_idle_transaction_seconds {
        idle if idle >= IDLE_SECONDS => format!(
            "end the transaction that has been idle for {}, if it is that one",
            seconds(idle)
        ),
        _ => "find who holds it".to_owned(),
    };
    Some(binds(
        Limit::Lock,
        format!(
            "A lock binds: {} of {} {} for one, up to {}; {holder}: select pg_blocking_pids(pid), query from \
             pg_stat_activity where wait_event_type = 'Lock'.",
            now.blocked,
            times(now.active.max(now.blocked) as f64, "active backend"),
            if now.blocked == 1 { "waits" } else { "wait" },
            seconds(now.longest_statement_seconds),
        ),
    ))
}

/// The circuit breaker is open, or requests were refused since it was.
pub(super) fn gone(window: &Window<'_>) -> Option<Binds> {
    let refused = window.refused(Reason::DatabaseGone);
    if !window.now.breaker_open {
        return None;
    }
    let error = |error: Option<&String>, of: &str| error.map(|e| format!(" ({of}: {e})"));
    let pgbouncer = window.now.pgbouncer.as_ref().and_then(|p| p.error.as_ref());
    let postgres = window.now.postgres.as_ref().and_then(|p| p.error.as_ref());
    let why = error(postgres, "PostgreSQL")
        .or_else(|| error(pgbouncer, "PgBouncer"))
        .unwrap_or_default();
    Some(binds(
        Limit::DatabaseGone,
        format!(
            "The database is gone: the circuit breaker is open{why}, and {} refused in {:.0} s; start PostgreSQL and \
             PgBouncer, /ready says what is missing.",
            doing(refused as f64, "request", "was", "were"),
            window.seconds,
        ),
    ))
}

/// Requests wait at the database, and its backends wait for cores: for as many as there are, or for more than are busy,
/// which are those that a limit of CPU time keeps from them.
pub(super) fn cpu(window: &Window<'_>) -> Option<Binds> {
    window.postgres()?;
    let waits = window.waits();
    let (cpu, all) = (waits.of("cpu"), waits.all());
    let (cores, busy) = (window.cores(), window.busy_cores());
    let short = cpu >= BACKENDS_MIN && (cpu >= 0.9 * cores || cpu >= busy + 1.0);
    if cpu < all / 2.0 || !short || !wants_more(window, 2.0 * cores) {
        return None;
    }
    let remedy = match busy >= 0.95 * cores {
        true => "add cores, or take other work off the machine",
        false => "raise the limit of CPU time that PostgreSQL has",
    };
    Some(binds(
        Limit::PostgresCpu,
        format!(
            "PostgreSQL's processors bind: {} of {} want a core, and {} of {} here are busy; {remedy}. More workers \
             or connections would only wait, too.",
            count(cpu),
            times(all, "active backend"),
            count(busy),
            times(cores, "core"),
        ),
    ))
}

/// Requests wait at the database, and its backends wait for reads and writes.
pub(super) fn disk(window: &Window<'_>) -> Option<Binds> {
    let now = window.postgres()?;
    let waits = window.waits();
    // Of those that commit at once one writes the log, and the others wait for it under a light-weight lock.
    let (io, waiting) = (waits.of("IO"), waits.of("IO") + waits.of("LWLock"));
    if io < 0.5 || waiting < BACKENDS_MIN.max(waits.all() / 2.0) || !wants_more(window, f64::MAX) {
        return None;
    }
    let blocks =
        |of: fn(&Postgres) -> i64| window.mean(|f| f.postgres.as_ref().map_or(0, of) as f64);
    let (read, hit) = (blocks(|p| p.blocks_read), blocks(|p| p.blocks_hit));
    let remedy = match read > hit / 100.0 {
        true => format!(
            "one block in {} is not in shared_buffers ({} MiB of rows and indexes): raise it, or the memory",
            count((read + hit) / read),
            now.database_bytes >> 20
        ),
        false => "what is written must reach the disk: a faster one is what helps".to_owned(),
    };
    Some(binds(
        Limit::Disk,
        format!(
            "The disk binds: {} of {} wait for reads or writes; {remedy}.",
            count(waiting),
            times(waits.all(), "active backend"),
        ),
    ))
}

/// Requests wait for workers, workers for connections, or more than `at_the_database` requests are there at once.
fn wants_more(window: &Window<'_>, at_the_database: f64) -> bool {
    window
        .lanes()
        .iter()
        .any(|load| load.waiting >= SATURATED_WAITING)
        || window.pooler_waiting() >= SATURATED_WAITING
        || window.populations().database >= at_the_database
}
