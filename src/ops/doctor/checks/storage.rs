//! What PostgreSQL keeps, and how: durability, statistics, vacuum, the cache, the disk, the clock.

use super::super::catalogue as kind;
use super::super::evidence::{Database, Evidence, Table};
use super::super::finding::Finding;
use super::super::place::Place;

/// Pages that have been read before a share of them says anything, and the share of hits below which the cache is small.
const BLOCKS_MIN: i64 = 100_000;
const HITS_MIN: f64 = 0.95;
/// Rows of a table from which on its statistics matter.
const LIVE_MIN: i64 = 10_000;
/// Rows that may change, or die, before it is worth a finding; and the share of all rows.
const ROWS_MIN: f64 = 50_000.0;
const SHARE_MAX: f64 = 0.5;
/// A quarter of all transaction ids before PostgreSQL stops: far above `autovacuum_freeze_max_age` (200 million).
const AGE_MAX: i64 = 1_500_000_000;
/// Bytes that wait in the pending lists when writers take turns: see `store/postgres/backlog.rs`.
const PENDING_MAX: i64 = 36 * 1024 * 1024;
/// A disk is full below so many bytes, or this share.
const DISK_BYTES_MIN: u64 = 1 << 30;
const DISK_SHARE_MIN: f64 = 0.05;
/// Clocks that differ by more seconds are two clocks.
const CLOCK_SECONDS_MAX: f64 = 2.0;
const MIB: i64 = 1024 * 1024;

pub(super) fn check(database: &Database, evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = durability(database, place);
    findings.extend(
        database
            .table
            .iter()
            .flat_map(|table| of_table(table, place)),
    );
    if !database.autovacuum {
        findings.push(kind::AUTOVACUUM_OFF.finding(
            "autovacuum or track_counts is off",
            place.administrator(&[
                "alter system set autovacuum = on",
                "alter system set track_counts = on",
                "select pg_reload_conf()",
            ]),
        ));
    }
    if database.age > AGE_MAX {
        findings.push(kind::WRAPAROUND.finding(
            format!(
                "the oldest row of the database is {} transactions old; at 2,147 million it stops",
                database.age
            ),
            place.administrator(&["vacuum (freeze, verbose)"]),
        ));
    }
    let read = database.blocks_hit + database.blocks_read;
    let hits = database.blocks_hit as f64 / read.max(1) as f64;
    if read >= BLOCKS_MIN && hits < HITS_MIN {
        findings.push(kind::CACHE_HITS.finding(
            format!("{:.1} % of {read} pages were found in shared_buffers, which has {}", 100.0 * hits, database.shared_buffers),
            "give PostgreSQL a quarter of the machine's memory: alter system set shared_buffers = ..., and restart it",
        ));
    }
    if let Some(waiting) = database.pending_bytes.filter(|bytes| *bytes > PENDING_MAX) {
        findings.push(kind::PENDING_LISTS.finding(
            format!(
                "{} MiB wait in the pending lists of the search indexes; no server empties them",
                waiting / MIB
            ),
            place.administrator(&["select public.warrior_flush(0, 16384)"]),
        ));
    }
    if let (Some(recorded), actual) = &database.collation
        && Some(recorded) != actual.as_ref()
    {
        findings.push(kind::COLLATION_VERSION.finding(
            format!("the database was made with version {recorded} of its collation, and the system has {}", actual.as_deref().unwrap_or("none")),
            place.administrator(&[
                &format!("reindex database concurrently {}", evidence.asked.dbname),
                &format!("alter database {} refresh collation version", evidence.asked.dbname),
            ]),
        ));
    }
    findings.extend(disk(evidence));
    if database.ahead.abs() - database.took > CLOCK_SECONDS_MAX {
        findings.push(kind::CLOCK_SKEW.finding(
            format!(
                "PostgreSQL's clock differs from this machine's by {:.1} s",
                database.ahead
            ),
            "have both machines follow the same time servers: timedatectl set-ntp true",
        ));
    }
    findings
}

fn durability(database: &Database, place: &Place) -> Vec<Finding> {
    let off = [
        ("fsync", database.fsync),
        ("full_page_writes", database.full_page_writes),
    ];
    let off = off.into_iter().filter(|(_, on)| !on);
    off.map(|(name, _)| {
        kind::DURABILITY_OFF.finding(
            format!("{name} is off"),
            place.administrator(&[
                &format!("alter system set {name} = on"),
                "select pg_reload_conf()",
            ]),
        )
    })
    .collect()
}

fn of_table(table: &Table, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let many = (SHARE_MAX * table.rows.max(0.0)).max(ROWS_MIN);
    let analyze = || place.administrator(&["analyze public.warrior"]);
    if table.live >= LIVE_MIN && (!table.analyzed || table.rows < 0.0) {
        let seen = format!("public.warrior has {} rows and no statistics", table.live);
        findings.push(kind::STATISTICS.finding(seen, analyze()));
    } else if table.changed as f64 > many {
        let seen = format!(
            "{} rows of public.warrior have changed since its statistics were made",
            table.changed
        );
        findings.push(kind::STATISTICS.finding(seen, analyze()));
    }
    if table.dead as f64 > many {
        findings.push(kind::DEAD_ROWS.finding(
            format!(
                "public.warrior holds {} dead rows beside {:.0}",
                table.dead,
                table.rows.max(0.0)
            ),
            place.administrator(&["vacuum public.warrior"]),
        ));
    }
    if table.autovacuum_off {
        findings.push(kind::AUTOVACUUM_OFF.finding(
            "autovacuum_enabled is false for public.warrior",
            place.administrator(&["alter table public.warrior reset (autovacuum_enabled)"]),
        ));
    }
    findings
}

fn disk(evidence: &Evidence) -> Option<Finding> {
    let (free, all) = evidence.files.disk?;
    let full = free < DISK_BYTES_MIN || (free as f64) < DISK_SHARE_MIN * all as f64;
    full.then(|| {
        let (free, all) = (free >> 20, all >> 20);
        kind::DISK_SPACE.finding(
            format!("{free} MiB of {all} MiB are free where the data is"),
            "make room there, or move the data folder while the stack is stopped",
        )
    })
}
