//! Sizes that must agree: workers, r2d2, the pooler, PostgreSQL, and descriptors.

use warrior_stack::shipped;

use super::super::catalogue as kind;
use super::super::evidence::{Console, Evidence};
use super::super::finding::Finding;
use super::super::place::Place;

/// Connections are nearly used from this share of them on.
const NEARLY: f64 = 0.9;

pub(super) fn check(evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let asked = &evidence.asked;
    let own = as_count(asked.connections);
    let console = evidence
        .console
        .as_ref()
        .and_then(|seen| seen.as_ref().ok());
    if let Some(console) = console {
        findings.extend(of_pooler(console, own, evidence, place));
    }
    if let Ok(database) = &evidence.database {
        // The connections that come to PostgreSQL: the pooler's, or the server's own.
        let (needed, whose) = match console.and_then(|console| console.pool_size) {
            Some(pool) => (pool, "the pooler may open"),
            None => (own, "the server may open"),
        };
        findings.extend(of_postgres(evidence, needed, whose, place));
        let usable = f64::from(database.max_connections - database.reserved);
        if f64::from(database.connections) >= NEARLY * usable {
            findings.push(kind::CONNECTIONS_NEARLY_USED.finding(
                format!("{} of {usable} connections are open", database.connections),
                "end sessions that nobody uses (select pid, usename, state from pg_stat_activity), or raise max_connections",
            ));
        }
    }
    findings.extend(descriptors(evidence, console));
    findings
}

fn of_pooler(console: &Console, own: i64, evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pool = console.pool_size;
    let max = console.database_max.filter(|max| *max > 0);
    let smaller = [("default_pool_size", pool), ("max_db_connections", max)];
    for (name, size) in smaller {
        if let Some(size) = size.filter(|size| *size < own) {
            findings.push(kind::POOL_TOO_SMALL.finding(
                format!("PgBouncer's {name} is {size}, and a server may use {own} connections"),
                raise(name, own, evidence, place),
            ));
        }
    }
    if let Some(clients) = console
        .number("max_client_conn")
        .filter(|clients| *clients < own)
    {
        findings.push(kind::POOLER_CLIENTS.finding(
            format!(
                "PgBouncer's max_client_conn is {clients}, and one server may use {own} connections"
            ),
            raise("max_client_conn", own, evidence, place),
        ));
    }
    findings
}

/// Raises a size of the pooler. That of the embedded one is brought back from its file, unless `up` has written too small a
/// one there.
fn raise(name: &str, own: i64, evidence: &Evidence, place: &Place) -> String {
    let ini = evidence.files.pooler_ini.as_deref();
    let written = ini.and_then(|ini| shipped::setting(ini, name)?.parse::<i64>().ok());
    match written {
        Some(written) if written < own => {
            match name {
                "default_pool_size" => format!(
                    "start `warrior-api up` again with PGBOUNCER_DEFAULT_POOL_SIZE={own}, or lower WORKERS"
                ),
                _ => "start `warrior-api up` again with the WORKERS of this server, which sizes PgBouncer, or lower WORKERS".to_owned(),
            }
        }
        _ => place.pooler_setting(&format!("{name} = {own} or more")),
    }
}

fn of_postgres(evidence: &Evidence, needed: i64, whose: &str, place: &Place) -> Vec<Finding> {
    let Ok(database) = &evidence.database else {
        return Vec::new();
    };
    let (role, dbname) = (&evidence.asked.role, &evidence.asked.dbname);
    let of_role = evidence
        .schema
        .as_ref()
        .ok()
        .and_then(|schema| schema.role.as_ref());
    let limits = [
        (
            Some(database.max_connections - database.reserved),
            "max_connections, less what is reserved,",
            format!("alter system set max_connections = {}", needed + 50),
        ),
        (
            Some(database.connection_limit),
            "the database's CONNECTION LIMIT",
            format!("alter database {dbname} connection limit -1"),
        ),
        (
            of_role.map(|role| role.connection_limit),
            "the role's CONNECTION LIMIT",
            format!("alter role {role} connection limit -1"),
        ),
    ];
    let too_few = limits.into_iter().filter_map(|(limit, name, raise)| {
        let limit = limit.filter(|limit| *limit >= 0 && i64::from(*limit) < needed)?;
        let command = place.administrator(&[&raise]);
        let mend = match raise.starts_with("alter system") {
            true => format!("{command}; then restart PostgreSQL"),
            false => command,
        };
        Some(kind::CONNECTIONS_TOO_FEW.finding(
            format!("{name} allows {limit} connections, and {whose} {needed}"),
            mend,
        ))
    });
    too_few.collect()
}

fn descriptors(evidence: &Evidence, console: Option<&Console>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let asked = &evidence.asked;
    let figures = evidence
        .server
        .as_ref()
        .ok()
        .and_then(|server| server.figures.as_ref().ok());
    let of_server = figures.and_then(|figures| figures.process.as_ref()?.descriptors_max);
    if let Some(limit) = of_server.or(asked.descriptors_max) {
        let served = asked.sizes.connections_within(limit);
        if served < asked.sizes.connections_max {
            let needed = asked.sizes.descriptors_needed();
            findings.push(kind::DESCRIPTORS.finding(
                format!("a server may open {limit} descriptors, enough for {served} of {} clients", asked.sizes.connections_max),
                format!("ulimit -n {needed}, in the shell or unit that starts it, or set MAX_CONNECTIONS={served}"),
            ));
        }
    }
    let clients = console.and_then(|console| console.number("max_client_conn"));
    let servers = console.and_then(|console| console.pool_size).unwrap_or(0);
    if let (Some(limit), Some(clients)) = (evidence.files.pooler_descriptors, clients)
        && let Ok(limit) = i64::try_from(limit)
        && limit < clients + servers
    {
        findings.push(kind::POOLER_DESCRIPTORS.finding(
            format!("PgBouncer may open {limit} descriptors, and takes {clients} clients on {servers} connections"),
            format!("ulimit -n {}, in the shell or unit that starts it", clients + servers + 50),
        ));
    }
    findings
}

impl Console {
    /// A number of `SHOW CONFIG`.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.setting(name)?.parse().ok()
    }

    /// A setting of `SHOW CONFIG`.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let mut config = self.config.iter();
        let (_, value) = config.find(|(key, _)| key == name)?;
        Some(value)
    }
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
