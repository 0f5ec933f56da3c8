//! What binds between the workers and PostgreSQL: connections, of each layer.

use super::binds;
use super::database::if_cores_are_left;
use super::window::{SATURATED_WAITING, Window};
use super::wording::{doing, seconds, times};
use crate::ops::figures::{Binds, Figures, Limit, PgBouncer, Postgres};

/// PostgreSQL gives no connection more, and somebody wants one.
pub(super) fn postgres_connections(window: &Window<'_>) -> Option<Binds> {
    const NO_SLOT: [&str; 2] = ["too many clients", "connection slots"];
    let told = window.now.postgres.as_ref().is_some_and(|p| {
        let error = p.error.as_deref().unwrap_or_default();
        NO_SLOT.iter().any(|words| error.contains(words))
    });
    // The last figures are old where even the monitor is refused, and there are none where it always was.
    let last = window
        .now
        .postgres
        .as_ref()
        .and_then(|p| p.figures.as_ref());
    let full = |p: &&Postgres| free_connections(p) == 0;
    if !told && window.postgres().filter(full).is_none() {
        return None;
    }
    let pooler = window.pgbouncer();
    let whole = pooler.is_some_and(is_whole);
    let waiting = window
        .pooler_waiting()
        .max(window.pool_mean(|r2d2| r2d2.wait_seconds));
    let wanted = waiting >= SATURATED_WAITING
        || pooler.is_some_and(|p| p.servers_login > 0)
        || window.pool_rise(|r2d2| r2d2.timeouts) > 0
        || window.now.outage_seconds > 0.0
        || window.now.breaker_open;
    if whole || !wanted {
        return None;
    }
    let remedy = match pooler {
        Some(pooler) if pooler.pool_size > 0 => format!(
            "raise max_connections, or lower default_pool_size ({}) to what is left for PgBouncer, {}",
            pooler.pool_size,
            servers(pooler)
        ),
        _ => "raise max_connections, or lower WORKERS".to_owned(),
    };
    let open = match last {
        Some(last) => format!(
            "all {} that clients may have are taken (max_connections {}, {} reserved)",
            last.max_connections - last.reserved,
            last.max_connections,
            last.reserved
        ),
        None => "all that clients may have are taken".to_owned(),
    };
    Some(binds(
        Limit::Connections,
        format!("PostgreSQL's connections bind: {open}, and more are wanted; {remedy}."),
    ))
}

/// Clients wait in PgBouncer, all of whose server connections are in use.
pub(super) fn pgbouncer_pool(window: &Window<'_>) -> Option<Binds> {
    let pooler = window.pgbouncer()?;
    let waiting = window.pooler_waiting();
    if waiting < SATURATED_WAITING || !is_whole(pooler) {
        return None;
    }
    Some(binds(
        Limit::PgbouncerPool,
        format!(
            "PgBouncer's pool binds: {}, up to {}, for {}; raise default_pool_size (this server opens up to {}){}.",
            doing(waiting, "client", "waits", "wait"),
            seconds(longest_wait(window)),
            times(pooler.pool_size as f64, "connection"),
            window.now.r2d2.as_ref().map_or(0, |r2d2| r2d2.max),
            if_cores_are_left(window),
        ),
    ))
}

/// PgBouncer takes no client more.
pub(super) fn pgbouncer_clients(window: &Window<'_>) -> Option<Binds> {
    let pooler = window.pgbouncer()?;
    // 0 is a limit that is not known.
    let full = (1..=pooler.clients).contains(&pooler.max_client_conn);
    (full && connections_wanted(window)).then(|| {
        binds(
            Limit::Connections,
            format!(
                "PgBouncer's clients bind: it has {} of the {} that it takes, and workers wait for connections; \
                 raise max_client_conn.",
                pooler.clients, pooler.max_client_conn
            ),
        )
    })
}

/// Workers wait for connections of r2d2, which has one for each of them: logins fail, or take long.
pub(super) fn r2d2(window: &Window<'_>) -> Option<Binds> {
    let r2d2 = window.now.r2d2.as_ref()?;
    connections_wanted(window).then(|| {
        let logins = window.pool_rise(|r2d2| r2d2.created);
        let waiting = window.pool_mean(|r2d2| r2d2.wait_seconds);
        let took = window.pool_mean(|r2d2| r2d2.create_seconds) * window.seconds;
        binds(
            Limit::R2d2,
            format!(
                "Logins to the database bind: {}, and r2d2 has {} of {} open; {}, and the log of this server \
                 and of PgBouncer say why.",
                doing(waiting.max(1.0), "worker", "waits", "wait"),
                r2d2.idle + r2d2.used,
                times(r2d2.max as f64, "connection"),
                match logins {
                    0 => "no login succeeded meanwhile".to_owned(),
                    n => format!("a login took {}", seconds(took / n as f64)),
                }
            ),
        )
    })
}

/// Whether workers wait for connections, or have waited in vain.
fn connections_wanted(window: &Window<'_>) -> bool {
    window.pool_mean(|r2d2| r2d2.wait_seconds) >= SATURATED_WAITING
        || window.pool_rise(|r2d2| r2d2.timeouts) > 0
}

/// Connections that PostgreSQL would still give a client.
fn free_connections(postgres: &Postgres) -> i64 {
    (postgres.max_connections - postgres.reserved - postgres.connections).max(0)
}

/// Server connections of PgBouncer, in whatever state.
fn servers(pooler: &PgBouncer) -> u64 {
    pooler.servers_active + pooler.servers_idle + pooler.servers_used
}

/// Whether a pool has all the connections that it may have; not where that is not known.
fn is_whole(pooler: &PgBouncer) -> bool {
    (1..=servers(pooler)).contains(&pooler.pool_size)
}

/// The longest wait that PgBouncer tells, or by Little's law the mean one, if that is longer.
fn longest_wait(window: &Window<'_>) -> f64 {
    let told = |figures: &Figures| {
        let pooler = figures.pgbouncer.as_ref().and_then(|p| p.figures.as_ref());
        pooler.map_or(0.0, |p| p.maxwait_seconds)
    };
    // Both means are of the time between the samples.
    let transactions = window.pooler_mean(|p| p.transactions as f64);
    let waited = window.pooler_mean(|p| p.wait_seconds);
    let mean = match transactions > 0.0 {
        true => waited / transactions,
        false => 0.0,
    };
    told(window.now).max(told(window.earlier)).max(mean)
}
