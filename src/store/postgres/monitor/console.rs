//! A sample of PgBouncer: SHOW VERSION, CONFIG, DATABASES, POOLS, LISTS and STATS of its console.

use postgres::{Client, SimpleQueryRow};

use crate::store::PgBouncerFigures;
use crate::store::postgres::pooler::{column, show};

/// The pools of `user` on `dbname`, the statistics of `dbname`, and what holds for all.
pub(super) fn sample(
    client: &mut Client,
    dbname: &str,
    user: &str,
) -> Result<PgBouncerFigures, postgres::Error> {
    let version = show(client, "show version")?;
    let config = show(client, "show config")?;
    let databases = show(client, "show databases")?;
    let pools = show(client, "show pools")?;
    let lists = show(client, "show lists")?;
    let stats = show(client, "show stats")?;

    let version = version
        .first()
        .and_then(|row| row.try_get(0).ok().flatten());
    let setting = |key| listed(&config, "key", key, "value");
    let in_list = |name| listed(&lists, "list", name, "items").map_or(0, parsed);
    let database = databases
        .iter()
        .find(|row| column(row, "name") == Some(dbname));
    let stats = stats
        .iter()
        .find(|row| column(row, "database") == Some(dbname));
    let pools: Vec<&SimpleQueryRow> = pools
        .iter()
        .filter(|row| column(row, "database") == Some(dbname) && column(row, "user") == Some(user))
        .collect();
    let sum = |name| pools.iter().map(|row| number(row, name)).sum::<u64>();
    let total = |name| stats.map_or(0, |row| number(row, name));
    let waits = pools
        .iter()
        .map(|row| number(row, "maxwait") as f64 + number(row, "maxwait_us") as f64 / 1e6);
    let own = |name| database.and_then(|row| column(row, name));
    Ok(PgBouncerFigures {
        version: version
            .unwrap_or_default()
            .trim_start_matches("PgBouncer ")
            .to_owned(),
        pool_mode: own("pool_mode")
            .or_else(|| pools.first().and_then(|row| column(row, "pool_mode")))
            .or_else(|| setting("pool_mode"))
            .unwrap_or_default()
            .to_owned(),
        pool_size: own("pool_size")
            .or_else(|| setting("default_pool_size"))
            .map_or(0, parsed),
        max_client_conn: setting("max_client_conn").map_or(0, parsed),
        clients: in_list("used_clients") + in_list("login_clients"),
        clients_active: sum("cl_active"),
        clients_waiting: sum("cl_waiting"),
        servers_active: sum("sv_active"),
        servers_idle: sum("sv_idle"),
        servers_used: sum("sv_used") + sum("sv_tested"),
        servers_login: sum("sv_login"),
        maxwait_seconds: waits.fold(0.0, f64::max),
        wait_seconds: total("total_wait_time") as f64 / 1e6,
        query_seconds: total("total_query_time") as f64 / 1e6,
        transactions: total("total_xact_count"),
        queries: total("total_query_count"),
    })
}

/// The column `value` of the row whose column `key` is `wanted`.
fn listed<'r>(rows: &'r [SimpleQueryRow], key: &str, wanted: &str, value: &str) -> Option<&'r str> {
    let row = rows.iter().find(|row| column(row, key) == Some(wanted))?;
    column(row, value)
}

fn number(row: &SimpleQueryRow, name: &str) -> u64 {
    column(row, name).map_or(0, parsed)
}

/// What is no number, or of a later version, counts nothing; as a limit, 0 is one that is not known.
fn parsed(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}
