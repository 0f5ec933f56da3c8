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
/// Longest wait that a create outlasts: it waits for its own `lock_timeout`, one second, and is tried once more.
const PATIENT_LOCK_TIMEOUT_MAX: Duration = Duration::from_millis(1800);
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
    Ok(patient_timeout_of(Duration::from_millis(
        milliseconds.unsigned_abs(),
    )))
}

/// A wait that may not be longer than `deadlock_timeout` would hold writers up and end no autovacuum.
fn patient_timeout_of(deadlock_timeout: Duration) -> Duration {
    let patient = deadlock_timeout.saturating_add(PATIENT_MARGIN);
    match patient > PATIENT_LOCK_TIMEOUT_MAX {
        true => LOCK_TIMEOUT,
        false => patient,
    }
}

/// What a line of progress adds before a step that waits for others without a limit; no writer queues behind it.
pub(super) fn awaited(client: &mut Client) -> Result<String, SchemaError> {
    Ok(match holding(client)? {
        Some(holders) => format!("; it may have to wait until {holders} lets public.warrior go"),
        None => String::new(),
    })
}

/// The sessions that hold locks on the table, as part of a sentence.
pub(super) fn holders(client: &mut Client) -> Result<String, SchemaError> {
    Ok(holding(client)?.unwrap_or_else(|| {
        "nobody now (a transaction that has just ended, or a lock on another table)".to_owned()
    }))
}

fn holding(client: &mut Client) -> Result<Option<String>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/holders.sql"), &[])
        .doing("asking who holds locks")?;
    let one = |row: &postgres::Row| {
        let (pid, role): (i32, Option<String>) = (row.get("pid"), row.get("role"));
        let state: Option<String> = row.get("state");
        let state = state.as_deref().unwrap_or("state unknown");
        match role {
            Some(role) => format!("server process {pid} (role {role}, {state})"),
            None => format!(
                "server process {pid} (an autovacuum, which PostgreSQL ends only for somebody who waits longer than \
                 deadlock_timeout)"
            ),
        }
    };
    let all: Vec<String> = rows.iter().map(one).collect();
    Ok((!all.is_empty()).then(|| all.join(", ")))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LOCK_TIMEOUT, patient_timeout_of};

    #[test]
    fn a_patient_request_outlasts_deadlock_timeout_or_is_none() {
        for (deadlock_timeout_ms, patient_ms) in [(10, 510), (1000, 1500), (1300, 1800)] {
            let patient = patient_timeout_of(Duration::from_millis(deadlock_timeout_ms));
            assert_eq!(patient, Duration::from_millis(patient_ms));
        }
        for deadlock_timeout_ms in [1301, 10_000, u64::MAX] {
            let patient = patient_timeout_of(Duration::from_millis(deadlock_timeout_ms));
            assert_eq!(patient, LOCK_TIMEOUT);
        }
    }
}
