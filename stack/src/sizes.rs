//! The numbers that must agree: threads of the server, connections of r2d2, PgBouncer and PostgreSQL.

/// Everything that has a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Worker threads that create warriors.
    pub workers_create: usize,
    /// Worker threads that find warriors by id and count them.
    pub workers_find: usize,
    /// Worker threads that search.
    pub workers_search: usize,
    /// Connections that r2d2 keeps open even when idle.
    pub pool_min: usize,
    /// Most requests that one statement may carry.
    pub batch_max: usize,
    /// Most requests that may wait in one lane.
    pub queue_max: usize,
    /// Most client connections on the public listener.
    pub connections_max: usize,
}

impl Sizes {
    /// Worker threads in all lanes.
    pub fn workers(&self) -> usize {
        self.workers_create + self.workers_find + self.workers_search
    }

    /// r2d2's size: one connection for each worker, so that a checkout never waits, one for the
    /// probe behind `/ready` and the breaker, and one for the flusher of the search indexes.
    pub fn pool(&self) -> usize {
        self.workers() + 2
    }
}
