//! Polling until a change is seen.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Bounds the time until a change is seen, with a restart and a recovery in between.
const SEEN_TIMEOUT: Duration = Duration::from_secs(60);

/// The interval at which the stack is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Polls until `happened`; after the timeout, `otherwise` is the error.
pub(super) fn wait(
    otherwise: &str,
    mut happened: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + SEEN_TIMEOUT;
    while !happened()? {
        if Instant::now() > deadline {
            bail!("{otherwise} within {} s", SEEN_TIMEOUT.as_secs());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
