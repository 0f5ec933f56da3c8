//! PgBouncer: its mode, its version, its timeouts and who waits there.

use super::super::catalogue as kind;
use super::super::evidence::{Console, Evidence};
use super::super::finding::Finding;
use super::super::place::Place;
use crate::store::known_pooler_faults;

/// Wait for a connection that is worth a finding, in seconds.
const WAIT_MAX: f64 = 0.5;
/// The first version with `max_prepared_statements`, which a console shows that has it.
const NAMED: &str = "max_prepared_statements";

pub(super) fn check(console: &Console, evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mode = console
        .pool_mode
        .as_deref()
        .or(console.setting("pool_mode"));
    if let Some(mode) = mode.filter(|mode| *mode != "transaction") {
        findings.push(kind::POOLER_MODE.finding(
            format!("pool_mode is {mode}"),
            place.pooler_setting("pool_mode = transaction"),
        ));
    }
    let again = again(console, evidence);
    if !again.is_empty() {
        let dbname = &evidence.asked.dbname;
        let typed: Option<Vec<_>> = again.iter().map(|command| place.console(command)).collect();
        findings.push(kind::POOLER_PAUSED.finding(
            format!("the database {dbname} is paused or disabled there"),
            match typed {
                Some(typed) => typed.join(" || "),
                None => format!(
                    "run on its console: {}",
                    again.join(", or where that fails ")
                ),
            },
        ));
    }
    if console.clients_waiting > 0 && console.waits >= WAIT_MAX {
        findings.push(kind::POOLER_WAIT.finding(
            format!("{} clients wait for a connection, the first for {:.1} s", console.clients_waiting, console.waits),
            "raise default_pool_size where PostgreSQL has processors to spare, else see what its connections do: SHOW SERVERS",
        ));
    }
    let deadline = evidence.asked.deadline.as_secs_f64();
    let wait = console
        .setting("query_wait_timeout")
        .and_then(|wait| wait.parse::<f64>().ok());
    if let Some(wait) = wait.filter(|wait| *wait == 0.0 || *wait >= deadline) {
        findings.push(kind::POOLER_TIMEOUT.finding(
            format!(
                "query_wait_timeout is {wait} s (0 is for ever), and a request waits {deadline} s"
            ),
            place.pooler_setting("query_wait_timeout = 1"),
        ));
    }
    if console.number(NAMED) == Some(0) {
        findings.push(kind::STATEMENTS_UNNAMED.finding(
            format!("{NAMED} is 0"),
            place.pooler_setting(&format!("{NAMED} = 200")),
        ));
    }
    if let Some(auth) = console
        .setting("auth_type")
        .filter(|auth| ["any", "trust"].contains(auth))
    {
        findings.push(kind::POOLER_OPEN.finding(
            format!("auth_type is {auth}"),
            place.pooler_setting("auth_type = scram-sha-256"),
        ));
    }
    if !listens_on_loopback(console)
        && let Some(faults) = faults(console)
    {
        let (seen, mend) = faults.split_once("; install").unwrap_or((&faults, ""));
        findings.push(kind::POOLER_VERSION.finding(
            format!(
                "{seen}; it listens on {}",
                console.setting("listen_addr").unwrap_or("all addresses")
            ),
            format!("install{mend}"),
        ));
    }
    findings
}

/// The commands that let requests in again, where somebody has stopped them at the pooler; the second where the first
/// fails. The console hides a database that is paused and has no connections, and does not tell that all are paused; then
/// PostgreSQL answers, and requests do not.
pub(super) fn again(console: &Console, evidence: &Evidence) -> Vec<String> {
    let of_database = |command: &str| format!("{command} {}", evidence.asked.dbname);
    let hidden = evidence.serving.silent && console.servers == 0 && evidence.database.is_ok();
    match console.stopped {
        Some(command) => vec![of_database(command)],
        None if hidden => vec![of_database("resume"), "resume".to_owned()],
        None => Vec::new(),
    }
}

/// On loopback alone, faults of the version are known and closed to other machines.
pub(super) fn notes(console: &Console) -> Option<String> {
    let faults = faults(console).filter(|_| listens_on_loopback(console))?;
    Some(format!("{faults}; it listens on loopback alone"))
}

fn faults(console: &Console) -> Option<String> {
    let ignored = console
        .setting("ignore_startup_parameters")
        .unwrap_or_default();
    known_pooler_faults(&console.version, ignored)
}

fn listens_on_loopback(console: &Console) -> bool {
    let addresses = console.setting("listen_addr").unwrap_or_default();
    let loopback =
        |address: &str| address == "localhost" || address == "::1" || address.starts_with("127.");
    addresses.split(',').all(|address| loopback(address.trim()))
}
