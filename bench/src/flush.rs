//! Flushing the search indexes beside pgbench, as the server does beside its own creates: inserts that
//! nobody flushes behind are faster for as long as their lists have room, and leave the work to others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;

use warrior_load::stress::Stack;

/// After so many index entries the server flushes; `ENOUGH` in its store.
const ENTRIES: i64 = 768 * 1024;

/// The same in rows: a name of the workload has 50.5 letters on average, and a row 10.5 skills.
const ROWS: i64 = ENTRIES / 61;

/// How often the rows are counted.
const LOOK: Duration = Duration::from_millis(50);

const COUNT: &str = include_str!("../../src/store/sql/count.sql");

/// Does the work, and flushes meanwhile.
pub(super) fn beside<T>(stack: &Stack, work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let mut owner = stack.owner().connect()?;
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flusher = scope.spawn(|| -> anyhow::Result<()> {
            let mut flushed: i64 = owner.query_one(COUNT, &[])?.try_get(0)?;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
                let rows = owner.query_one(COUNT, &[])?.try_get(0)?;
                if rows - flushed >= ROWS {
                    owner.batch_execute("select public.warrior_flush()")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_flushes_after_as_many_entries() {
        let backlog = include_str!("../../src/store/backlog.rs");
        assert!(backlog.contains("const ENOUGH: u64 = 768 * 1024;"));
        assert_eq!(ENTRIES, 768 * 1024);
    }
}
