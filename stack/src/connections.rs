//! The sizing model of connection pools: the connections of r2d2, of PgBouncer and of PostgreSQL, which must agree.
//!
//! A transaction never waits for a connection: each layer is at least as large as the one before. The other
//! capacities of a server (worker threads, queues, batches, client connections) are in its `config::Sizes`,
//! whose `pool()` is all that a stack needs.

use crate::shipped::{PGBOUNCER_INI, POSTGRESQL_CONF, number};

/// Connections past the pooler: migrations, monitoring, psql, drills.
const DIRECT_CONNECTIONS: usize = 50;

/// Connections from r2d2 to PostgreSQL, layer by layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Connections of one server: r2d2's size.
    pub pool: usize,
}

impl Connections {
    /// Server connections of PgBouncer: the shipped number, or one for each of r2d2's.
    pub(crate) fn pooler_pool(self) -> usize {
        number(PGBOUNCER_INI, "default_pool_size").max(self.pool)
    }

    /// Client connections of PgBouncer: the shipped number, or room for two servers of this size.
    pub(crate) fn pooler_clients(self) -> usize {
        number(PGBOUNCER_INI, "max_client_conn").max(2 * self.pooler_pool())
    }

    /// `max_connections` of PostgreSQL: the shipped number, or PgBouncer's and the direct ones.
    pub(crate) fn postgres_connections(self) -> usize {
        number(POSTGRESQL_CONF, "max_connections").max(self.pooler_pool() + DIRECT_CONNECTIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pool_grows_with_the_one_before() {
        assert_eq!(Connections { pool: 8 }.pooler_pool(), 50);
        let many = Connections { pool: 101 };
        assert_eq!(many.pooler_pool(), many.pool);
        let huge = Connections { pool: 902 };
        assert_eq!(huge.pooler_clients(), 2 * huge.pooler_pool());
        assert!(huge.postgres_connections() > huge.pooler_pool());
    }
}
