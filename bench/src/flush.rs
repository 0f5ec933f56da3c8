//! Flushes of the pending lists beside pgbench: inserts that nobody flushes behind are faster for as long
//! as their lists have room, and leave the work to others. The server flushes behind its own creates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use warrior_load::stack::Stack;

/// The share of `gin_pending_list_limit` at which the lists are flushed: well before a writer has to flush
/// them in its own statement, and seldom enough that a row costs little.
const FLUSH_AT_SHARE: f64 = 0.4;

/// Bytes that a row of the workload adds to the lists: 61 entries, since a name has 50.5 letters on average
/// and a row 10.5 skills, of 17 bytes.
const BYTES_PER_ROW: f64 = 61.0 * 17.0;

/// The interval at which rows are counted.
const COUNT_INTERVAL: Duration = Duration::from_millis(50);

const COUNT: &str = include_str!("../../src/store/sql/count.sql");

/// Does the work, and flushes meanwhile.
pub(crate) fn beside<T>(stack: &Stack, work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let flush_at = rows(list_limit(stack)?);
    let mut owner = stack.owner().connect()?;
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flusher = scope.spawn(|| -> anyhow::Result<()> {
            let mut flushed: i64 = owner.query_one(COUNT, &[])?.try_get(0)?;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(COUNT_INTERVAL);
                let rows: i64 = owner.query_one(COUNT, &[])?.try_get(0)?;
                if rows - flushed >= flush_at {
                    owner.batch_execute(include_str!("sql/flush.sql"))?;
                    flushed = rows;
                }
            }
            Ok(())
        });
        let done = work();
        ended.store(true, Ordering::Relaxed);
        flusher
            .join()
            .map_err(|_| anyhow!("the flushing thread panicked"))??;
        Ok(done)
    })
}

/// The limit of the lists in bytes, as it is for the role that inserts.
fn list_limit(stack: &Stack) -> anyhow::Result<i64> {
    let mut runtime = stack.runtime(stack.postgres).connect()?;
    let row = runtime.query_one(include_str!("sql/pending_list_limit.sql"), &[])?;
    Ok(row.try_get(0)?)
}

/// The rows that fill the lists up to the share at which they are flushed.
fn rows(list_limit_bytes: i64) -> i64 {
    (list_limit_bytes as f64 * FLUSH_AT_SHARE / BYTES_PER_ROW) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_the_lists_decides_how_many_rows_wait() {
        assert_eq!(rows(32 * 1024 * 1024), 12_942);
        assert_eq!(rows(4 * 1024 * 1024), 1_617);
    }
}
