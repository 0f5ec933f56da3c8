//! Kept connections: idle ones to use again, and a count of all that are open.

use std::cell::Cell;
use std::rc::Rc;

use super::connection::{Connection, Failure};
use super::timer::now;
use super::worker::Worker;

/// A kept connection that was idle for longer is not used again: servers close idle connections,
/// and a request that meets the close would be lost without the server's fault.
const IDLE_NANOS_MAX: u64 = 2_000_000_000;

/// A connection that is counted while it lives.
pub(super) struct Counted {
    pub(super) connection: Connection,
    _slot: Slot,
}

struct Slot(Rc<Cell<usize>>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Worker {
    /// Takes an idle connection, or opens one within the plan's limit.
    pub(super) async fn connect(&self) -> Result<(Counted, Option<u64>), Failure> {
        let oldest = now().saturating_sub(IDLE_NANOS_MAX);
        loop {
            let Some(kept) = self.idle.borrow_mut().pop() else {
                break;
            };
            if kept.connection.is_usable() && kept.connection.idle_since >= oldest {
                return Ok((kept, None));
            }
        }
        if self.open_connections.get() >= self.plan.connections_max.div_ceil(self.plan.threads) {
            return Err(Failure::Exhausted(format!(
                "the limit of {} connections is reached",
                self.plan.connections_max
            )));
        }
        self.open_connections.set(self.open_connections.get() + 1);
        let slot = Slot(Rc::clone(&self.open_connections));
        let begun = now();
        let connection = Connection::open(self.plan.target.address).await?;
        Ok((
            Counted {
                connection,
                _slot: slot,
            },
            Some(now() - begun),
        ))
    }

    /// Gives a connection back for others to use.
    pub(super) fn release(&self, counted: Counted) {
        if counted.connection.is_usable() {
            self.idle.borrow_mut().push(counted);
        }
    }
}
