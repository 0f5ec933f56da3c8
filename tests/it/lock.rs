//! A table that somebody else holds, so that statements wait for exactly as long as a test needs.

use postgres::Client;

use crate::supervisor::eventually;
use crate::support::Fresh;

/// Holds the table of warriors until it is dropped.
pub(crate) struct TableLock {
    holder: Client,
    observer: Client,
}

/// Statements of the API wait for locks without a limit of their own from the next login on; the
/// request's deadline is all that is left. It must be called before the server starts.
pub(crate) fn wait_for_locks_for_ever(database: &Fresh) {
    // Neither ALTER ROLE nor a database's name takes parameters.
    let sql = format!(
        "alter role warrior in database {0} set lock_timeout = 0;
         alter role warrior in database {0} set statement_timeout = 0",
        database.name()
    );
    database.superuser().batch_execute(&sql).expect("settings");
}

impl TableLock {
    pub(crate) fn take(database: &Fresh) -> Self {
        let mut holder = database.owner();
        holder
            .batch_execute("begin; lock table public.warrior")
            .expect("nobody else holds it");
        Self {
            holder,
            observer: database.superuser(),
        }
    }

    /// Waits until `n` statements wait for this lock.
    pub(crate) fn await_waiting(&mut self, n: i64) {
        eventually("statements wait for the lock", || self.waiting() == n);
    }

    fn waiting(&mut self) -> i64 {
        let sql = "select count(*) from pg_locks as l, pg_database as d
                    where not l.granted and l.database = d.oid and d.datname = current_database()";
        self.observer
            .query_one(sql, &[])
            .expect("it may look")
            .get(0)
    }

    /// Ends the connections whose statements wait for this lock.
    pub(crate) fn terminate_waiting(&mut self) {
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'";
        self.observer.batch_execute(sql).expect("it is a superuser");
    }

    pub(crate) fn release(self) {
        let Self { mut holder, .. } = self;
        holder.batch_execute("rollback").expect("it is still held");
    }
}
