//! A store that panics where it is told to: with a connection in hand, before a statement is executed, and after it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;
use warrior_api::store::{Access, Created, NewRow, Readiness, Statements, Store, StoreError};
use warrior_api::warrior::{StoredWarrior, Warrior};

/// The lane whose worker passes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Create,
    /// With the counts.
    Find,
    Search,
}

/// A place that a worker passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A connection is in hand, and nothing is sent: the requests are still queued.
    Connected(Access),
    /// The requests count as sent, and the statement is not executed.
    Before(Lane),
    /// The statement is executed, and committed.
    After(Lane),
}

/// Called at each place; it panics, or not.
type Hook = Arc<dyn Fn(Place) + Send + Sync>;

/// A store within which a hook may panic.
#[derive(Clone)]
pub(crate) struct Panicking<S> {
    store: S,
    hook: Hook,
}

/// The same of a session.
pub(crate) struct PanickingSession<'s, T> {
    session: T,
    hook: &'s Hook,
}

// === impl Panicking ===

impl<S: Store> Panicking<S> {
    pub(crate) fn new(store: S, hook: impl Fn(Place) + Send + Sync + 'static) -> Self {
        let hook = Arc::new(hook);
        Self { store, hook }
    }
}

impl<S: Store> Store for Panicking<S> {
    type Connected<'s> = (S::Connected<'s>, &'s Hook);
    type Session<'s> = PanickingSession<'s, S::Session<'s>>;

    fn connect(&self, access: Access) -> Result<Self::Connected<'_>, StoreError> {
        let connected = self.store.connect(access)?;
        (self.hook)(Place::Connected(access));
        Ok((connected, &self.hook))
    }

    fn is_behind(&self) -> bool {
        self.store.is_behind()
    }

    fn until<'s>((connected, hook): Self::Connected<'s>, deadline: Instant) -> Self::Session<'s> {
        let session = S::until(connected, deadline);
        PanickingSession { session, hook }
    }

    fn within<'s>((connected, hook): Self::Connected<'s>, limit: Duration) -> Self::Session<'s> {
        let session = S::within(connected, limit);
        PanickingSession { session, hook }
    }
}

// === impl PanickingSession ===

impl<T> PanickingSession<'_, T> {
    fn between<R>(
        &mut self,
        lane: Lane,
        statement: impl FnOnce(&mut T) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        (self.hook)(Place::Before(lane));
        let result = statement(&mut self.session)?;
        (self.hook)(Place::After(lane));
        Ok(result)
    }
}

impl<T: Statements> Statements for PanickingSession<'_, T> {
    fn create(&mut self, rows: &[&NewRow]) -> Result<Vec<Created>, StoreError> {
        self.between(Lane::Create, |session| session.create(rows))
    }

    fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError> {
        self.between(Lane::Find, |session| session.find(ids, render))
    }

    fn count(&mut self) -> Result<i64, StoreError> {
        self.between(Lane::Find, Statements::count)
    }

    fn search(
        &mut self,
        terms: &[&str],
        take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        self.between(Lane::Search, |session| session.search(terms, take))
    }

    fn probe(&mut self) -> Result<Readiness, StoreError> {
        self.session.probe()
    }
}
