//! Commits that are not confirmed where they should be: waits for a synchronous standby that were cancelled, and workers of
//! Citus that did not answer.
//!
//! PostgreSQL commits before it waits for the standby. A wait that is cancelled (`pg_cancel_backend`, a
//! cancel request) ends with a WARNING and *success*: the row is there, on this server alone, and goes if a
//! standby takes over. The warning is the only sign, so `client_min_messages` must not be above `warning`.
//!
//! Citus commits on its coordinator before it has the workers commit what they prepared (`COMMIT PREPARED`). A worker that
//! fails there is a WARNING and success, too: its rows are not to be seen until Citus has recovered the transaction.
//! Source: FinishRemoteTransactionCommit in Citus' transaction/remote_transaction.c.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::error::DbError;

/// The functions whose warnings say so, of PostgreSQL and of Citus; the texts may be translated.
const UNCONFIRMED: [&str; 2] = ["SyncRepWaitForLSN", "FinishRemoteTransactionCommit"];

/// Raised when a commit of a connection was not confirmed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct StandbyWait(Arc<AtomicBool>);

impl StandbyWait {
    /// Looks at the notices that came beside the server's answers.
    pub(super) fn notice(&self, notice: &DbError) {
        if notice.routine().is_some_and(is_unconfirmed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a commit was not confirmed since it was [cleared](Self::clear).
    pub(super) fn was_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Whether a notice of this function says that a commit is not everywhere yet.
fn is_unconfirmed(routine: &str) -> bool {
    UNCONFIRMED.contains(&routine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_of_a_commit_that_is_not_everywhere_is_told_from_others() {
        assert!(is_unconfirmed("SyncRepWaitForLSN"));
        assert!(is_unconfirmed("FinishRemoteTransactionCommit"));
        // An abort undoes the statement, whose own error says so.
        assert!(!is_unconfirmed("FinishRemoteTransactionAbort"));
        assert!(!is_unconfirmed("exec_stmt_raise"));
    }
}
