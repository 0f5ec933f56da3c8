//! Bounded lock waits: a step that locks writers out gives its request up after a moment, lets them pass, and tries again.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::Type;

use super::error::{Doing, SchemaError};

/// Wait of most requests for a lock that writers queue behind.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// What every [`PATIENT_ATTEMPT`]th request waits longer than `deadlock_timeout`.
const PATIENT_MARGIN: Duration = Duration::from_millis(500);
/// Longest wait, whatever `deadlock_timeout` is; its default is one second.
const PATIENT_LOCK_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Autovacuum preemption: PostgreSQL cancels an autovacuum that stands in the way of somebody who has waited for
/// `deadlock_timeout`. Shorter requests alone would be outlasted by it.
const PATIENT_ATTEMPT: u32 = 4;
/// Most requests for such a lock, each followed by a pause as long as its wait.
const LOCK_ATTEMPTS: u32 = 60;

/// Runs a step that locks writers out, and gives the time of the longest attempt. Writers queue behind a request for such a
/// lock, so the request has to end, granted or not.
pub(super) fn locked(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    mut step: impl FnMut(&mut Client) -> Result<(), SchemaError>,
) -> Result<Duration, SchemaError> {
    let patient = patient_timeout(client)?;
    let mut longest = Duration::ZERO;
    for attempt in 1..=LOCK_ATTEMPTS {
        let timeout = match attempt % PATIENT_ATTEMPT {
            0 => patient,
            _ => LOCK_TIMEOUT,
        };
        set_lock_timeout(client, timeout)?;
        let started = Instant::now();
        let result = step(client);
        longest = longest.max(started.elapsed());
        match result {
            Ok(()) => return Ok(longest),
            Err(e) if e.is_lock_timeout() => {
                progress(format!(
                    "no lock within {} ms; public.warrior is locked by {}; trying again",
                    timeout.as_millis(),
                    holders(client)?
                ));
                thread::sleep(timeout);
            }
            Err(e) => return Err(e),
        }
    }
    Err(SchemaError::Locked {
        attempts: LOCK_ATTEMPTS,
        holders: holders(client)?,
    })
}

fn patient_timeout(client: &mut Client) -> Result<Duration, SchemaError> {
    let milliseconds: i64 = client
        .query_one(include_str!("../sql/schema/deadlock_timeout.sql"), &[])
        .doing("asking for deadlock_timeout")?
        .get("milliseconds");
    let deadlock_timeout = Duration::from_millis(milliseconds.unsigned_abs());
    Ok((deadlock_timeout + PATIENT_MARGIN).min(PATIENT_LOCK_TIMEOUT_MAX))
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
        true => {
            "nobody now (a transaction that has just ended, or a lock on another table)".to_owned()
        }
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
