//! Mutual exclusion: one schema command at a time for each database, by an advisory lock.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};

/// Pause between two requests for the lock.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Pause between two lines of progress about the wait.
const LOCK_REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Holds the lock while `work` runs.
pub(super) fn run<T>(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    work: impl FnOnce(&mut Client, &mut dyn FnMut(String)) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    lock(client, progress, &mut || true)?;
    let result = work(client, progress);
    // If the connection is gone, so is the lock; `result` says the rest.
    let unlocked = client.execute(include_str!("../sql/schema/unlock.sql"), &[]);
    let value = result?;
    unlocked.doing("releasing the lock of the schema commands")?;
    Ok(value)
}

/// Takes the lock, which the end of the session releases; whether it has it is the answer. `going_on` says whether to wait.
pub(super) fn lock(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    going_on: &mut dyn FnMut() -> bool,
) -> Result<bool, SchemaError> {
    let mut last_report: Option<Instant> = None;
    loop {
        let sql = include_str!("../sql/schema/try_lock.sql");
        let row = client
            .query_one(sql, &[])
            .doing("taking the lock of the schema commands")?;
        if row.get("locked") {
            return Ok(true);
        }
        if !going_on() {
            return Ok(false);
        }
        // Its holder is a live session that does this same work; the lock ends with it.
        if last_report.is_none_or(|at| at.elapsed() >= LOCK_REPORT_INTERVAL) {
            let holder: Option<String> = row.get("holder");
            progress(format!(
                "waiting for another schema command to end (server process {})",
                holder.as_deref().unwrap_or("unknown")
            ));
            last_report = Some(Instant::now());
        }
        thread::sleep(LOCK_POLL_INTERVAL);
    }
}
