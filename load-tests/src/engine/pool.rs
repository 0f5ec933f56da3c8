//! A pool of kept-alive connections: idle ones to use again, and a bound on all that are open.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::connection::Connection;
use super::failure::Failure;
use super::plan::Plan;
use super::timer::now;
use crate::target::Target;

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

/// The kept connections of one thread: a stack of idle ones, and a bound on all that are open.
pub(super) struct Pool {
    target: Target,
    idle: RefCell<Vec<Counted>>,
    open: Rc<Cell<usize>>,
    /// Bounds the open connections of this thread.
    open_max: usize,
    /// The plan's bound over all threads, which the refusal names.
    plan_max: usize,
}

impl Pool {
    /// A pool with this thread's share of the plan's connections, none of them open.
    pub(super) fn new(plan: &Plan) -> Pool {
        Pool {
            target: plan.target.clone(),
            idle: RefCell::default(),
            open: Rc::default(),
            open_max: plan.connections_max.div_ceil(plan.threads),
            plan_max: plan.connections_max,
        }
    }

    /// Takes an idle connection, or opens one within the limit; how long opening took, in nanoseconds.
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
        if self.open.get() >= self.open_max {
            return Err(Failure::Exhausted(format!(
                "the limit of {} connections is reached",
                self.plan_max
            )));
        }
        self.open.set(self.open.get() + 1);
        let slot = Slot(Rc::clone(&self.open));
        let begun = now();
        let connection = Connection::open(&self.target).await?;
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

    /// Connections that are open now, idle ones included.
    pub(super) fn open_connections(&self) -> u64 {
        self.open.get() as u64
    }
}
