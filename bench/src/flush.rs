//! Flushes of the pending lists beside pgbench: inserts that nobody flushes behind are faster for as long
//! as their lists have room, and leave the work to others. The server flushes behind its own creates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use warrior_load::stack::Stack;

/// The interval at which the database is asked whether a flush is due, or done.
pub(crate) const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// Does the work, and flushes meanwhile.
pub(crate) fn beside<T>(stack: &Stack, work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let mut owner = stack.owner().connect()?;
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flusher = scope.spawn(|| -> anyhow::Result<()> {
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(ASK_INTERVAL);
                owner.batch_execute(include_str!("sql/flush_due.sql"))?;
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
