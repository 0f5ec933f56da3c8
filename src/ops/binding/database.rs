//! What binds in PostgreSQL itself: locks, processors, the disk; and whether it is there.

use super::binds;
use super::window::{SATURATED_WAITING, Window};
use super::wording::{count, doing, seconds, times};
use crate::dispatch::Reason;
use crate::ops::figures::{Binds, Limit, Postgres};

/// Wait for a lock from which that is no passing one.
const LOCKED_SECONDS: f64 = 0.2;

/// Age of an idle transaction above which it is named as the one that may hold the lock.
const IDLE_SECONDS: f64 = 1.0;

/// Backends that want a core, or the disk, below which a shortage of it cannot be told from one busy backend.
const BACKENDS_MIN: f64 = 1.5;

/// Requests wait at the database, most of whose active backends wait for locks: in both samples, or for a while.
pub(super) fn lock(window: &Window<'_>) -> Option<Binds> {
    let now = window.postgres()?;
    let active = now.waits.values().sum::<i64>().max(now.blocked);
    let lasts = window.postgres_before().is_some_and(|p| p.blocked > 0)
        || now.longest_lock_wait_seconds >= LOCKED_SECONDS;
    let most = now.blocked > 0 && 2 * now.blocked >= active;
    if !(most && lasts && window.wants_database(LOCKED_SECONDS)) {
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
            times(active as f64, "active backend"),
            if now.blocked == 1 { "waits" } else { "wait" },
            seconds(now.longest_lock_wait_seconds),
        ),
    ))
}

/// There is an outage: requests wait it out, or the circuit breaker is open.
pub(super) fn gone(window: &Window<'_>) -> Option<Binds> {
    let now = window.now;
    if now.outage_seconds <= 0.0 && !now.breaker_open {
        return None;
    }
    let error = |error: Option<&String>, of: &str| error.map(|e| format!(" ({of}: {e})"));
    let pgbouncer = window.now.pgbouncer.as_ref().and_then(|p| p.error.as_ref());
    let postgres = window.now.postgres.as_ref().and_then(|p| p.error.as_ref());
    let why = error(postgres, "PostgreSQL")
        .or_else(|| error(pgbouncer, "PgBouncer"))
        .unwrap_or_default();
    let sentence = if now.breaker_open {
        let refused = window.refused(Reason::DatabaseGone) as f64;
        format!(
            "The database is gone: the circuit breaker is open{why}, and {} refused in {:.0} s; start PostgreSQL and \
             PgBouncer, /ready says what is missing.",
            doing(refused, "request", "was", "were"),
            window.seconds,
        )
    } else {
        let waiting: usize = now.lanes.iter().map(|lane| lane.waiting).sum();
        format!(
            "The database has not answered for {}{why}: requests wait for it, {} in queues; new ones are refused once \
             that has lasted for half of REQUEST_DEADLINE_MS; start PostgreSQL and PgBouncer.",
            seconds(now.outage_seconds),
            count(waiting as f64),
        )
    };
    Some(binds(Limit::DatabaseGone, sentence))
}

/// Requests wait at the database, and its backends wait for cores: for as many as there are, or for more than are busy,
/// which are those that a limit of CPU time keeps from them. Only of a PostgreSQL on this machine, whose cores are known.
pub(super) fn cpu(window: &Window<'_>) -> Option<Binds> {
    window.postgres().filter(|postgres| postgres.is_local)?;
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

/// A word of caution about more workers or connections, where most backends of a PostgreSQL elsewhere compute: they may want
/// for cores, whose number is not known here. Empty where that is not so.
pub(super) fn if_cores_are_left(window: &Window<'_>) -> String {
    let waits = window.waits();
    let (cpu, all) = (waits.of("cpu"), waits.all());
    let elsewhere = window.postgres().is_some_and(|p| !p.is_local);
    match elsewhere && cpu >= BACKENDS_MIN && cpu >= all / 2.0 {
        true => format!(
            ", if PostgreSQL's machine has cores left: {} of {} there compute",
            count(cpu),
            times(all, "active backend")
        ),
        false => String::new(),
    }
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
    let blocks = |of: fn(&Postgres) -> i64| {
        (window.postgres_before())
            .map_or(0, |p| of(now) - of(p))
            .max(0) as f64
    };
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
