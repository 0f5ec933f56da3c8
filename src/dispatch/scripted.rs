//! Executors for tests: functions in place of the database.

use super::executor::{Claimed, Executor};
use crate::store::StoreError;

type Connect = dyn Fn() -> Result<(), StoreError> + Send + Sync;
type Run<Q, R> = dyn Fn(&Claimed<'_, Q>) -> Result<Vec<R>, StoreError> + Send + Sync;
type Disconnect = dyn Fn() + Send + Sync;

/// An executor whose steps are functions.
pub(crate) struct Scripted<Q, R> {
    connect: Box<Connect>,
    run: Box<Run<Q, R>>,
    disconnect: Box<Disconnect>,
}

/// A connection in hand: its end is the last step.
pub(crate) struct ScriptedSession<'s>(&'s Disconnect);

impl<Q, R> Scripted<Q, R> {
    /// Connects at once, and runs batches with `run`.
    pub(crate) fn new(
        run: impl Fn(&Claimed<'_, Q>) -> Result<Vec<R>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::connecting(|| Ok(()), run)
    }

    pub(crate) fn connecting(
        connect: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static,
        run: impl Fn(&Claimed<'_, Q>) -> Result<Vec<R>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            connect: Box::new(connect),
            run: Box::new(run),
            disconnect: Box::new(|| ()),
        }
    }

    /// Calls `disconnect` at the end of each session.
    pub(crate) fn disconnecting(self, disconnect: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            disconnect: Box::new(disconnect),
            ..self
        }
    }
}

impl<Q: PartialEq + Send + 'static, R: Send + 'static> Executor for Scripted<Q, R> {
    type Request = Q;
    type Reply = R;
    type Session<'s> = ScriptedSession<'s>;

    fn connect(&self) -> Result<ScriptedSession<'_>, StoreError> {
        (self.connect)().map(|()| ScriptedSession(&*self.disconnect))
    }

    fn run(
        &self,
        _session: ScriptedSession<'_>,
        batch: &Claimed<'_, Q>,
    ) -> Result<Vec<R>, StoreError> {
        (self.run)(batch)
    }
}

impl Drop for ScriptedSession<'_> {
    fn drop(&mut self) {
        (self.0)();
    }
}
