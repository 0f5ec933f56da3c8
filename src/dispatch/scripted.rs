//! Work for tests: functions in place of the database.

use super::work::{Claimed, Work};
use crate::store::StoreError;

type Connect = dyn Fn() -> Result<(), StoreError> + Send + Sync;
type Run<Q, R> = dyn Fn(&[&Q]) -> Result<Vec<R>, StoreError> + Send + Sync;

/// Work whose steps are functions.
pub(crate) struct Scripted<Q, R> {
    connect: Box<Connect>,
    run: Box<Run<Q, R>>,
}

impl<Q, R> Scripted<Q, R> {
    /// Connects at once, and runs batches with `run`.
    pub(crate) fn new(
        run: impl Fn(&[&Q]) -> Result<Vec<R>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::connecting(|| Ok(()), run)
    }

    pub(crate) fn connecting(
        connect: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static,
        run: impl Fn(&[&Q]) -> Result<Vec<R>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            connect: Box::new(connect),
            run: Box::new(run),
        }
    }
}

impl<Q: Send + 'static, R: Send + 'static> Work for Scripted<Q, R> {
    type Request = Q;
    type Reply = R;
    type Session<'s> = ();

    fn connect(&self) -> Result<(), StoreError> {
        (self.connect)()
    }

    fn run(&self, (): &mut (), batch: &Claimed<'_, Q>) -> Result<Vec<R>, StoreError> {
        (self.run)(&batch.requests)
    }
}
