//! The stack that sizes are tried on: a throw-away one of the tool's own, or a named one that commands switch.

mod handicap;
mod named;
mod throwaway;

use std::time::{Duration, Instant};

use anyhow::bail;

pub(crate) use handicap::Handicap;
pub(crate) use named::Named;
pub(crate) use throwaway::Throwaway;

use super::sizes::Sizes;
use crate::client;
use crate::database::DatabaseAccess;
use crate::target::Target;

/// Longest time until a server is ready after its sizes have changed.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(50);

/// A stack whose sizes can be changed.
pub(crate) trait Rig {
    /// Gives the stack these sizes, and waits until it is ready.
    fn apply(&mut self, sizes: &Sizes) -> anyhow::Result<()>;
    /// The API, as of the last change.
    fn target(&self) -> anyhow::Result<Target>;
    /// The admin listener, where it is known.
    fn admin(&self) -> Option<Target>;
    /// Direct access to the database, where there is any.
    fn database(&self) -> Option<DatabaseAccess>;
    /// Gives back what the stack had before, where that is not thrown away.
    fn restore(&mut self) -> anyhow::Result<()>;
}

/// Waits until `/ready` says yes, or until the API accepts connections where there is no admin listener.
fn wait_until_ready(target: &Target, admin: Option<&Target>) -> anyhow::Result<()> {
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        let is_ready = match admin {
            Some(admin) => {
                let reached = admin.reach().ok();
                let answer = reached.and_then(|admin| client::get(&admin, "/ready").ok());
                answer.is_some_and(|answer| answer.status == 200)
            }
            None => target.reach().is_ok(),
        };
        if is_ready {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{} was not ready {} s after its sizes had changed; look at its log",
                admin.unwrap_or(target).url,
                READY_TIMEOUT.as_secs()
            );
        }
        std::thread::sleep(POLL);
    }
}
