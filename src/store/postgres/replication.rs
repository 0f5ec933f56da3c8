//! Synchronous replication: waits for a standby that were cancelled.
//!
//! PostgreSQL commits before it waits for the standby. A wait that is cancelled (`pg_cancel_backend`, a
//! cancel request) ends with a WARNING and *success*: the row is there, on this server alone, and goes if a
//! standby takes over. The warning is the only sign, so `client_min_messages` must not be above `warning`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::error::DbError;

/// The function of PostgreSQL that waits, which its warning names; the text may be translated.
const WAITING_ROUTINE: &str = "SyncRepWaitForLSN";

/// Raised when a wait of a connection was cancelled. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct StandbyWait(Arc<AtomicBool>);

impl StandbyWait {
    /// Looks at the notices that came beside the server's answers.
    pub(super) fn notice(&self, notice: &DbError) {
        if notice.routine() == Some(WAITING_ROUTINE) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a wait was cancelled since it was [cleared](Self::clear).
    pub(super) fn was_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
