//! Table locks without a queue behind them: a step that locks writers out waits a second at most, lets them pass, and tries
//! again.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::Type;

use super::error::{Doing, SchemaError};

/// Longest wait for a lock that writers queue behind.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// How often such a lock is asked for, with as long a pause in between.
const LOCK_ATTEMPTS: u32 = 60;

/// Runs a step that locks writers out. While it waits for its lock, writers queue behind it; so it
/// gives up after a second, lets them pass, and tries again. Gives the time of the longest attempt.
pub(super) fn locked(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    mut step: impl FnMut(&mut Client) -> Result<(), SchemaError>,
) -> Result<Duration, SchemaError> {
    set_lock_timeout(client, LOCK_TIMEOUT)?;
    let mut longest = Duration::ZERO;
    for _ in 0..LOCK_ATTEMPTS {
        let started = Instant::now();
        let result = step(client);
        longest = longest.max(started.elapsed());
        match result {
            Ok(()) => return Ok(longest),
            Err(e) if e.is_lock_timeout() => {
                progress(format!(
                    "public.warrior is locked by {}; trying again",
                    holders(client)?
                ));
                thread::sleep(LOCK_TIMEOUT);
            }
            Err(e) => return Err(e),
        }
    }
    Err(SchemaError::Locked {
        attempts: LOCK_ATTEMPTS,
        holders: holders(client)?,
    })
}

/// Who holds locks on the table, as it stands in a sentence.
pub(super) fn holders(client: &mut Client) -> Result<String, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/holders.sql"), &[])
        .doing("asking who holds locks")?;
    let one = |row: &postgres::Row| {
        let role: Option<String> = row.get("role");
        let state: Option<String> = row.get("state");
        format!(
            "server process {} (role {}, {})",
            row.get::<_, i32>("pid"),
            role.as_deref().unwrap_or("unknown"),
            state.as_deref().unwrap_or("state unknown")
        )
    };
    let all: Vec<String> = rows.iter().map(one).collect();
    Ok(match all.is_empty() {
        true => "a transaction that has just ended".to_owned(),
        false => all.join(", "),
    })
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
