//! Graceful shutdown by escalation: the signals that end each program, from the most polite to SIGKILL.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::version::Version;

/// Signals, and how long the program may take after each.
pub(crate) type Ladder = &'static [(Signal, Duration)];

/// Longest time that a fast shutdown of PostgreSQL may take: its checkpoint is as slow as the disk.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time for everything that needs no disk.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time that PgBouncer may take to close its connections.
const POOLER_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Fast shutdown with a checkpoint, immediate shutdown, kill.
pub(crate) const POSTGRES: Ladder = &[
    (Signal::SIGINT, STOP_TIMEOUT),
    (Signal::SIGQUIT, ABORT_TIMEOUT),
    (Signal::SIGKILL, ABORT_TIMEOUT),
];
/// A throw-away cluster needs no checkpoint: its files are about to be removed.
pub(crate) const POSTGRES_THROW_AWAY: Ladder = &[
    (Signal::SIGQUIT, ABORT_TIMEOUT),
    (Signal::SIGKILL, ABORT_TIMEOUT),
];

/// A leftover PgBouncer's version is unknown, and PgBouncer holds nothing that could be lost.
pub(crate) const POOLER_LEFTOVER: Ladder = &[(Signal::SIGKILL, ABORT_TIMEOUT)];

const POOLER_BEFORE_1_23: Ladder = &[
    (Signal::SIGTERM, POOLER_STOP_TIMEOUT),
    (Signal::SIGKILL, ABORT_TIMEOUT),
];
const POOLER_SINCE_1_23: Ladder = &[
    (Signal::SIGQUIT, POOLER_STOP_TIMEOUT),
    (Signal::SIGKILL, ABORT_TIMEOUT),
];

/// SIGTERM meant "at once" before 1.23 and means "when all clients have left" since.
pub(crate) fn pooler(version: Version) -> Ladder {
    let since_1_23 = version
        >= Version {
            major: 1,
            minor: 23,
        };
    if since_1_23 {
        POOLER_SINCE_1_23
    } else {
        POOLER_BEFORE_1_23
    }
}
