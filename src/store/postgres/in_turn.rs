//! Lock order of backpressure: a writer takes its turn, then a connection, and releases them in reverse.
//!
//! A writer that waits for its turn must hold no connection, which another one could use. The next writer must find the
//! connection back in the pool.

/// A connection, and the turn that it is held in.
pub(super) struct InTurn<C, T> {
    /// Dropped first, as the order of the fields says.
    pub(super) connection: C,
    _turn: T,
}

impl<C, T> InTurn<C, T> {
    /// Waits for the turn, then for the connection.
    pub(super) fn take<E>(
        turn: impl FnOnce() -> T,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Self, E> {
        let turn = turn();
        Ok(Self {
            connection: connect()?,
            _turn: turn,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Logged<'l>(&'l RefCell<Vec<&'static str>>, &'static str);

    impl Drop for Logged<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }

    #[test]
    fn a_turn_is_taken_before_its_connection_and_released_after_it() {
        let log = RefCell::new(Vec::new());
        let step = |taken, released| {
            log.borrow_mut().push(taken);
            Logged(&log, released)
        };
        let turn = || step("turn", "turn released");
        let connection = || Ok::<_, ()>(step("connection", "connection released"));
        drop(InTurn::take(turn, connection));
        let held = ["turn", "connection", "connection released", "turn released"];
        assert_eq!(log.take(), held);
        assert!(InTurn::take(turn, || Err::<(), _>(())).is_err());
        assert_eq!(log.take(), ["turn", "turn released"]);
    }
}
