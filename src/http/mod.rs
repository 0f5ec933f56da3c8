//! Sockets and hyper: connections, their limits, their end. Knows nothing of warriors.

mod body;
mod listener;
mod pace;
mod server;

use std::time::Duration;

pub use body::BODY_MAX;
pub use listener::bind;
pub use server::{Limits, Phase, serve};

/// Longest time for a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How slowly a client may take its answer: a megabyte has 74 s.
const PACE: pace::Pace = pace::Pace {
    pause: Duration::from_secs(10),
    rate: 16 * 1024,
};
/// Time for what is under way between a client and us when a listener closes: a request that was sent
/// before, an end that was not read yet.
const IN_FLIGHT: Duration = Duration::from_millis(250);
/// Longest time that a connection is read after its end.
const LINGER: Duration = Duration::from_secs(1);
/// Room for a request's head, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// Connections that the kernel keeps for us while all of ours are taken.
const BACKLOG: i32 = 4096;

#[cfg(test)]
mod tests;
