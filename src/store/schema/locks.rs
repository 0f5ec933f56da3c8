//! Bounded lock waits: a step that locks writers out gives its request up after a second, lets them pass, and tries again.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::Type;

use super::error::{Doing, SchemaError};

/// Longest wait for a lock that writers queue behind.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// Most requests for such a lock, each followed by as long a pause.
const LOCK_ATTEMPTS: u32 = 60;

/// Runs a step that locks writers out, and gives the time of the longest attempt. Writers queue behind a request for such a
/// lock, so the request has to end, granted or not.
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

/// The sessions that hold locks on the table, as part of a sentence.
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

/// Sets the longest wait for a lock: short while writers would queue behind the request, zero (no limit) otherwise.
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
