//! PgBouncer's console, where it lets us in.

use postgres::SimpleQueryRow;

use super::super::evidence::{Console, Seen};
use super::super::finding::Unseen;
use super::not_let_in;
use crate::config::Database;
use crate::store::{self, Inquiry};

const WHAT: &str = "the pooler's version, mode and sizes";

pub(super) fn ask(console: &Database, serving: &Database) -> Seen<Console> {
    let mut session = Inquiry::open(console).map_err(|e| {
        let mut unseen = not_let_in(WHAT, console, &e);
        unseen.why = format!(
            "{}; or name a user of the pooler's stats_users: POSTGRES_MONITOR_USER and POSTGRES_MONITOR_PASSWORD_FILE",
            unseen.why
        );
        unseen
    })?;
    let mut show = |command: &str| session.show(command);
    let shown = || -> Result<Console, postgres::Error> {
        let version = show("show version")?;
        let config = show("show config")?;
        let databases = show("show databases")?;
        let pools = show("show pools")?;
        Ok(console_of(&version, &config, &databases, &pools, serving))
    };
    let mut shown = shown;
    shown().map_err(|e| Unseen::new(WHAT, format!("its console refuses: {}", store::chain(&e))))
}

fn console_of(
    version: &[SimpleQueryRow],
    config: &[SimpleQueryRow],
    databases: &[SimpleQueryRow],
    pools: &[SimpleQueryRow],
    serving: &Database,
) -> Console {
    let of_database =
        |column: &str, row: &&SimpleQueryRow| text(row, column) == Some(&serving.dbname);
    let own = databases.iter().find(|row| of_database("name", row));
    let pool = pools
        .iter()
        .find(|row| of_database("database", row) && text(row, "user") == Some(&serving.user));
    let number = |row: Option<&SimpleQueryRow>, column: &str| -> Option<i64> {
        row.and_then(|row| text(row, column))?.parse().ok()
    };
    let seconds = number(pool, "maxwait").unwrap_or(0) as f64;
    let fraction = number(pool, "maxwait_us").unwrap_or(0) as f64 / 1e6;
    Console {
        version: version
            .first()
            .and_then(|row| row.try_get(0).ok().flatten())
            .unwrap_or_default()
            .to_owned(),
        config: config
            .iter()
            .filter_map(|row| Some((text(row, "key")?.to_owned(), text(row, "value")?.to_owned())))
            .collect(),
        pool_size: number(own, "pool_size"),
        database_max: number(own, "max_connections"),
        pool_mode: pool
            .and_then(|row| text(row, "pool_mode"))
            .or(own.and_then(|row| text(row, "pool_mode")))
            .map(str::to_owned),
        stopped: match (number(own, "paused"), number(own, "disabled")) {
            (Some(1), _) => Some("resume"),
            (_, Some(1)) => Some("enable"),
            _ => None,
        },
        servers: ["sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login"]
            .into_iter()
            .filter_map(|column| number(pool, column))
            .sum(),
        clients_waiting: number(pool, "cl_waiting").unwrap_or(0),
        waits: seconds + fraction,
    }
}

fn text<'r>(row: &'r SimpleQueryRow, column: &str) -> Option<&'r str> {
    row.try_get(column)
        .ok()
        .flatten()
        .filter(|text| !text.is_empty())
}
