//! The session of a schema command: direct, alone, and with its own limits.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::Type;

use super::error::{Doing, SchemaError};

/// A startup option that reaches PostgreSQL only on a direct connection: a pooler refuses the parameter
/// `options`, or leaves it out, and a pooled server connection was opened by somebody else anyway. Ports and addresses would tell less: behind a
/// container's or a provider's address translation they differ on a direct connection, too.
pub const DIRECT_OPTIONS: &str = "-c warrior_api.direct=on";

/// How often the lock of another schema command is asked for.
const LOCK_POLL: Duration = Duration::from_millis(200);
/// How often it is said that we still wait.
const LOCK_REPORT: Duration = Duration::from_secs(5);

/// Checks that the session may run migrations, and gives it the settings they need.
pub(super) fn prepare(client: &mut Client) -> Result<(), SchemaError> {
    check_server(client)?;
    client
        .query(include_str!("../sql/schema/session.sql"), &[])
        .doing("preparing the session")?;
    Ok(())
}

/// Checks that the session goes to PostgreSQL itself, and to a database that can keep the contract.
pub(super) fn check_server(client: &mut Client) -> Result<(), SchemaError> {
    let sql = include_str!("../sql/schema/server.sql");
    let rows = client.query_typed(sql, &[]).doing("asking the server")?;
    let Some(server) = rows.first().filter(|server| server.get("direct")) else {
        return Err(SchemaError::Pooled);
    };
    let encoding: String = server.get("encoding");
    if encoding != "UTF8" || !server.get::<_, bool>("folds") {
        let locale = server.get("locale");
        return Err(SchemaError::Database { encoding, locale });
    }
    Ok(())
}

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

/// Sets how long a statement waits for a lock: never long while writers would queue behind it, and
/// without limit where nobody does.
pub(super) fn set_lock_timeout(client: &mut Client, limit: Duration) -> Result<(), SchemaError> {
    let text = format!("{}ms", limit.as_millis());
    client
        .query_typed(
            include_str!("../sql/schema/lock_timeout.sql"),
            &[(&text, Type::TEXT)],
        )
        .doing("setting lock_timeout")?;
    Ok(())
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
