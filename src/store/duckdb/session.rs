//! Session: a connection with a deadline, and how statements run on it.

use std::sync::Arc;
use std::time::Instant;

use warrior_duckdb::arrow_array::{ArrayRef, RecordBatch};
use warrior_duckdb::{Canceller, Connection, Error};

use super::Shared;

/// A connection in hand, whose statements have no deadline yet.
pub struct Connected<'s> {
    shared: &'s Shared,
    /// There until it is given back.
    connection: Option<Connection>,
    canceller: Arc<Canceller>,
}

/// A connection whose statements have a deadline.
pub struct Session<'s> {
    connected: Connected<'s>,
    until: Instant,
}

impl<'s> Connected<'s> {
    pub(super) fn new(shared: &'s Shared, connection: Connection) -> Self {
        Self {
            shared,
            canceller: Arc::new(connection.canceller()),
            connection: Some(connection),
        }
    }

    pub(super) fn until(self, until: Instant) -> Session<'s> {
        Session {
            connected: self,
            until,
        }
    }
}

impl Drop for Connected<'_> {
    /// Gives the connection back, if no statement of it failed.
    fn drop(&mut self) {
        self.shared.idle.lock().extend(self.connection.take());
    }
}

impl Session<'_> {
    /// Runs one statement with one row of `parameters`, and gives each batch of its rows to `take`. A connection on which
    /// one fails is dropped, and its transaction with it.
    pub(super) fn run(
        &mut self,
        sql: &str,
        parameters: &[ArrayRef],
        mut take: impl FnMut(&RecordBatch),
    ) -> Result<(), Error> {
        let Connected {
            shared,
            connection,
            canceller,
        } = &mut self.connected;
        // Out of the session while the statement runs: one that panics takes the connection with it, too.
        let Some(mut open) = connection.take() else {
            return Err(Error::new("a statement before it has failed"));
        };
        let watched = shared.watch.until(self.until, canceller);
        let result = execute(&mut open, sql, parameters, &mut take);
        drop(watched);
        match &result {
            Ok(()) => *connection = Some(open),
            Err(e) => shared.given_up.after(e),
        }
        result
    }

    /// Drops the connection, and the transaction that is open on it.
    pub(super) fn abandon(&mut self) {
        self.connected.connection = None;
    }
}

fn execute(
    connection: &mut Connection,
    sql: &str,
    parameters: &[ArrayRef],
    take: &mut impl FnMut(&RecordBatch),
) -> Result<(), Error> {
    let named = parameters.iter().enumerate();
    let row = match parameters {
        [] => None,
        _ => Some(
            RecordBatch::try_from_iter(
                named.map(|(i, column)| ((i + 1).to_string(), Arc::clone(column))),
            )
            .map_err(|e| Error::new(e.to_string()))?,
        ),
    };
    for batch in connection.query_with(sql, row)? {
        take(&batch?);
    }
    Ok(())
}
