//! A pool of kept-alive connections: idle ones to use again, and a bound on all that are open.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
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

impl Counted {
    fn is_too_old(&self) -> bool {
        now().saturating_sub(self.connection.idle_since) > IDLE_NANOS_MAX
    }
}

struct Slot(Rc<Cell<usize>>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The kept connections of one thread: idle ones in the order of their release, and a bound on all that are open.
pub(super) struct Pool {
    target: Target,
    idle: RefCell<VecDeque<Counted>>,
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
        while let Some(kept) = self.take() {
            if kept.is_too_old() {
                break;
            }
            if kept.connection.is_usable() {
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

    /// The one that was idle for the shortest time.
    fn take(&self) -> Option<Counted> {
        self.idle.borrow_mut().pop_back()
    }

    /// Gives a connection back for others to use. One that has grown too old closes for it: thousands of a burst, closed
    /// at the next need for them, would hold up this thread and the target.
    pub(super) fn release(&self, counted: Counted) {
        let mut idle = self.idle.borrow_mut();
        if idle.front().is_some_and(Counted::is_too_old) {
            idle.pop_front();
        }
        if counted.connection.is_usable() {
            idle.push_back(counted);
        }
    }

    /// Connections that are open now, idle ones included.
    pub(super) fn open_connections(&self) -> u64 {
        self.open.get() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    async fn connected(pool: &Pool) -> (Counted, bool) {
        let Ok((counted, opening)) = pool.connect().await else {
            panic!("no connection")
        };
        while !counted.connection.is_usable() {
            tokio::task::yield_now().await;
        }
        (counted, opening.is_some())
    }

    #[test]
    fn connections_that_were_idle_for_too_long_close_one_at_a_time() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let pool = Pool {
            target: Target::parse(&url).expect("a URL"),
            idle: RefCell::default(),
            open: Rc::default(),
            open_max: 4,
            plan_max: 4,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an event loop");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (young, _) = connected(&pool).await;
            let (a, _) = connected(&pool).await;
            let (b, _) = connected(&pool).await;
            let (c, _) = connected(&pool).await;
            for mut old in [a, b, c] {
                old.connection.idle_since = 0;
                pool.idle.borrow_mut().push_back(old);
            }
            assert_eq!(pool.open_connections(), 4);
            pool.release(young);
            assert_eq!(pool.open_connections(), 3);
            let (_young, is_new) = connected(&pool).await;
            assert!(!is_new);
            let (_new, is_new) = connected(&pool).await;
            assert!(is_new);
            assert_eq!(pool.open_connections(), 3);
        });
    }
}
