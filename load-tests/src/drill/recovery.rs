//! A long crash recovery: much to replay since the last checkpoint.

use std::thread;
use std::time::Duration;

use super::scene::Scene;

/// Rows of one statement that makes something to replay, each of some 300 bytes.
const GROW: &str =
    "insert into drill_replay select g, repeat(md5(g::text), 8) from generate_series(1, 100000) g";
/// The log's length since the last checkpoint.
const LENGTH: &str =
    "select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::bigint from pg_control_checkpoint()";

/// A4: killed with much to replay, PostgreSQL recovers for long; each request is answered meanwhile.
pub(super) fn long(scene: &mut Scene) -> anyhow::Result<()> {
    let mut admin = scene.superuser()?;
    for statement in [
        "alter system set checkpoint_timeout = '1h'",
        "alter system set max_wal_size = '16GB'",
        "select pg_reload_conf()",
        "create table if not exists drill_replay (n bigint, text text)",
        "checkpoint",
    ] {
        admin.simple_query(statement)?;
    }
    let wanted = scene.length.of(256_i64 << 20, 4 << 30);
    while admin.query_one(LENGTH, &[])?.get::<_, i64>(0) < wanted {
        admin.simple_query(GROW)?;
    }
    drop(admin);
    scene.cluster.kill()?;
    scene.evidence.figures.kills += 1;
    // A moment without anybody who could recover.
    thread::sleep(Duration::from_millis(500));
    scene.cluster.start()?;
    scene.heals();
    // A checkpoint of what was recovered goes on meanwhile.
    let mut admin = scene.superuser()?;
    admin.simple_query("drop table drill_replay")?;
    Ok(())
}
