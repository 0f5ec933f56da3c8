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
            pool_min: 0,
            batch_max: 1,
            queue_max: 1,
            connections_max: 1,
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
