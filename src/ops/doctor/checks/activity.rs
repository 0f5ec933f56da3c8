//! Sessions that stand in the way of others.

use super::super::catalogue as kind;
use super::super::evidence::{Database, Prepared, Transaction};
use super::super::finding::{Finding, Unseen};
use super::super::place::Place;
use crate::quoting::literal;

/// Seconds after which a transaction is in the way: one that does nothing, one that works, one that others wait for.
const IDLE_MAX: f64 = 10.0;
const OPEN_MAX: f64 = 300.0;
const WAITS_MAX: f64 = 1.0;
/// Seconds after which a coordinator should have come back for the second phase.
const PREPARED_MAX: f64 = 300.0;

pub(super) fn check(database: &Database, place: &Place) -> Vec<Finding> {
    let mut findings = locks(database, place);
    for transaction in &database.transactions {
        let Transaction {
            pid, open, since, ..
        } = transaction;
        let who = who(transaction);
        let end = || end(*pid, place);
        if transaction.idle && *since > IDLE_MAX {
            let seen = format!(
                "{who} has done nothing for {since:.0} s in a transaction that is open for {open:.0} s"
            );
            findings.push(kind::IDLE_TRANSACTION.finding(seen, end()));
        } else if *open > OPEN_MAX {
            let seen = format!("{who} has a transaction that is open for {open:.0} s");
            findings.push(kind::LONG_TRANSACTION.finding(seen, end()));
        }
    }
    for (name, kept) in &database.slots {
        let constant = literal(name);
        let look = format!("select * from pg_replication_slots where slot_name = {constant}");
        let drop = format!("select pg_drop_replication_slot({constant})");
        findings.push(kind::REPLICATION_SLOT.finding(
            format!("nobody uses the slot {name}, which keeps {kept} of WAL, more than max_wal_size"),
            format!(
                "see what it was made for, and start that consumer again: {}\nonly where it is gone for good: {}",
                place.administrator(&[&look]),
                place.administrator(&[&drop])
            ),
        ));
    }
    let forgotten = database.prepared.iter().filter(|p| p.age > PREPARED_MAX);
    for Prepared { gid, role, age } in forgotten {
        findings.push(kind::PREPARED_TRANSACTION.finding(
            format!("role {role} prepared the transaction {gid} {age:.0} s ago"),
            decide(gid, place),
        ));
    }
    findings
}

/// What its coordinator has promised to others is for it to decide, and for a person only where it is gone.
fn decide(gid: &str, place: &Place) -> String {
    let constant = literal(gid);
    let commit = place.administrator(&[&format!("commit prepared {constant}")]);
    let rollback = place.administrator(&[&format!("rollback prepared {constant}")]);
    let look = place.administrator(&["select * from pg_prepared_xacts"]);
    format!(
        "see whose it is, and start its coordinator again, which ends it: {look}\n\
         only where that is gone for good: {commit}\nor, where it had not decided to commit: {rollback}"
    )
}

/// A finding for each session that others wait for.
fn locks(database: &Database, place: &Place) -> Vec<Finding> {
    let waiting = database
        .transactions
        .iter()
        .filter(|t| t.waits >= WAITS_MAX);
    let mut blockers: Vec<i32> = waiting.clone().flat_map(|t| t.blockers.clone()).collect();
    blockers.sort_unstable();
    blockers.dedup();
    // Who waits itself is not at the head of the queue; 0 stands for transactions without a process.
    blockers.retain(|pid| *pid != 0 && !waiting.clone().any(|t| t.pid == *pid));
    let one = |pid: &i32| {
        let blocked = waiting.clone().filter(|t| t.blockers.contains(pid));
        let longest = blocked.clone().map(|t| t.waits).fold(0.0, f64::max);
        let holder = database.transactions.iter().find(|t| t.pid == *pid);
        let holder = holder.map_or_else(|| format!("server process {pid}"), who);
        kind::LOCK_WAIT.finding(
            format!(
                "{} sessions wait for a lock of {holder}, the longest for {longest:.1} s",
                blocked.count()
            ),
            end(*pid, place),
        )
    };
    let mut findings: Vec<Finding> = blockers.iter().map(one).collect();
    let mut gids: Vec<&String> = waiting.clone().flat_map(|t| &t.prepared).collect();
    gids.sort_unstable();
    gids.dedup();
    findings.extend(gids.into_iter().map(|gid| {
        let blocked = waiting.clone().filter(|t| t.prepared.contains(gid));
        let longest = blocked.clone().map(|t| t.waits).fold(0.0, f64::max);
        let seen = format!(
            "{} sessions wait for a lock of the prepared transaction {gid}, the longest for {longest:.1} s",
            blocked.count()
        );
        kind::LOCK_WAIT.finding(seen, decide(gid, place))
    }));
    findings
}

pub(super) fn unseen(database: &Database, place: &Place) -> Option<Unseen> {
    (!database.sees_all).then(|| {
        let user = place.monitor.as_ref().map_or(&place.direct.user, |monitor| &monitor.user);
        Unseen::new(
            "what sessions of other roles do",
            format!(
                "role {user} may not see it; set POSTGRES_MONITOR_USER and POSTGRES_MONITOR_PASSWORD_FILE to a member of pg_monitor"
            ),
        )
    })
}

fn who(transaction: &Transaction) -> String {
    let Transaction {
        pid,
        role,
        application,
        ..
    } = transaction;
    match application.is_empty() {
        true => format!("server process {pid} (role {role})"),
        false => format!("server process {pid} (role {role}, {application})"),
    }
}

fn end(pid: i32, place: &Place) -> String {
    place.administrator(&[&format!("select pg_terminate_backend({pid})")])
}
