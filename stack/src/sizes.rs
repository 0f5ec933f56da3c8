//! The sizing model: threads of the server, connections of r2d2, of PgBouncer and of PostgreSQL, which
//! must agree.
//!
//! A transaction never waits for a connection: each layer is at least as large as the one before.

use crate::shipped::{PGBOUNCER_INI, POSTGRESQL_CONF, number};

/// Connections past the pooler: migrations, monitoring, psql, drills.
const DIRECT_CONNECTIONS: usize = 50;

/// Everything that has a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// `WORKERS_CREATE`, 1 to 1000: worker threads that create warriors. Too many take connections and memory
    /// of PostgreSQL and make smaller batches; too few leave the database idle while requests wait.
    pub workers_create: usize,
    /// `WORKERS_FIND`, 1 to 1000: worker threads that find warriors by id and count them, as above.
    pub workers_find: usize,
    /// `WORKERS_SEARCH`, 1 to 1000: worker threads that search. Too many let searches take the processors of
    /// the database from creates; too few let one slow search hold up the others.
    pub workers_search: usize,
    /// `DB_POOL_MIN`: connections that r2d2 keeps open even when idle. Too many hold PostgreSQL's memory; too
    /// few make the first requests of a burst wait for a login.
    pub pool_min: usize,
    /// `BATCH_MAX`, 1 to 10,000: most requests that one statement may carry. Too many make each of them wait
    /// for all; too few pay the fixed cost of a statement more often.
    pub batch_max: usize,
    /// `QUEUE_MAX`, 1 to 1,000,000: most requests that may wait in one lane. Too many wait until their deadline
    /// has passed; too few are refused in a burst that would have been served.
    pub queue_max: usize,
    /// `MAX_CONNECTIONS`, 1 to 1,000,000: most client connections on the public listener. Too many take the
    /// memory and the descriptors of the process; too few keep clients waiting outside.
    pub connections_max: usize,
}

/// The smallest server: one worker for each lane, and the rest as it is by default.
impl Default for Sizes {
    fn default() -> Self {
        Self {
            workers_create: 1,
            workers_find: 1,
            workers_search: 1,
            pool_min: 0,
            batch_max: Self::BATCH_MAX,
            queue_max: Self::QUEUE_MAX,
            connections_max: Self::CONNECTIONS_MAX,
        }
    }
}

impl Sizes {
    /// The default of `BATCH_MAX`.
    pub const BATCH_MAX: usize = 128;
    /// The default of `QUEUE_MAX`.
    pub const QUEUE_MAX: usize = 2048;
    /// The default of `MAX_CONNECTIONS`.
    pub const CONNECTIONS_MAX: usize = 10_000;

    /// Worker threads in all lanes.
    pub fn workers(&self) -> usize {
        self.workers_create + self.workers_find + self.workers_search
    }

    /// r2d2's size: one connection for each worker, so that a checkout never waits, one for the
    /// probe behind `/ready` and the breaker, and one for the flusher of the search indexes.
    pub fn pool(&self) -> usize {
        self.workers() + 2
    }

    /// Server connections of PgBouncer: the shipped number, or one for each of r2d2's.
    pub fn pooler_pool(&self) -> usize {
        number(PGBOUNCER_INI, "default_pool_size").max(self.pool())
    }

    /// Client connections of PgBouncer: the shipped number, or room for two servers of this size.
    pub fn pooler_clients(&self) -> usize {
        number(PGBOUNCER_INI, "max_client_conn").max(2 * self.pooler_pool())
    }

    /// `max_connections` of PostgreSQL: the shipped number, or PgBouncer's and the direct ones.
    pub fn postgres_connections(&self) -> usize {
        number(POSTGRESQL_CONF, "max_connections").max(self.pooler_pool() + DIRECT_CONNECTIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(each: usize) -> Sizes {
        Sizes {
            workers_create: each,
            workers_find: each,
            workers_search: each,
            ..Sizes::default()
        }
    }

    #[test]
    fn every_pool_grows_with_the_workers() {
        assert_eq!(sizes(2).pooler_pool(), 50);
        let many = sizes(33);
        assert!(many.pool() > 50);
        assert_eq!(many.pooler_pool(), many.pool());
        let huge = sizes(300);
        assert_eq!(huge.pooler_clients(), 2 * huge.pooler_pool());
        assert!(huge.postgres_connections() > huge.pooler_pool());
    }
}
