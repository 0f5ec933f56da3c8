//! Mutual exclusion: one schema command at a time for each database, by an advisory lock.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};

/// How often the lock of another schema command is asked for.
const LOCK_POLL: Duration = Duration::from_millis(200);
/// How often it is said that we still wait.
const LOCK_REPORT: Duration = Duration::from_secs(5);

/// Runs `work` while no other schema command runs on this database.
pub(super) fn alone<T>(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    work: impl FnOnce(&mut Client, &mut dyn FnMut(String)) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    lock(client, progress)?;
    let result = work(client, progress);
    // If the connection is gone, so is the lock; `result` says the rest.
    let unlocked = client.execute(include_str!("../sql/schema/unlock.sql"), &[]);
    let value = result?;
    unlocked.doing("releasing the lock of the schema commands")?;
    Ok(value)
}

fn lock(client: &mut Client, progress: &mut dyn FnMut(String)) -> Result<(), SchemaError> {
    let mut last_report: Option<Instant> = None;
    loop {
        let sql = include_str!("../sql/schema/try_lock.sql");
        let row = client
            .query_one(sql, &[])
            .doing("taking the lock of the schema commands")?;
        if row.get("locked") {
            return Ok(());
        }
        // Its holder is a live session that does this same work; the lock ends with it.
        if last_report.is_none_or(|at| at.elapsed() >= LOCK_REPORT) {
            let holder: Option<String> = row.get("holder");
            progress(format!(
                "waiting for another schema command to end (server process {})",
                holder.as_deref().unwrap_or("unknown")
            ));
            last_report = Some(Instant::now());
        }
        thread::sleep(LOCK_POLL);
    }
}
