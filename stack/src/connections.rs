//! The sizing model of connection pools: the connections of r2d2, of PgBouncer and of PostgreSQL, which must agree.
//!
//! A transaction never waits for a connection: each layer is at least as large as the one before, unless PgBouncer's
//! size is given, which may hold back more clients than PostgreSQL works for well. The other
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
    /// Server connections of PgBouncer, where they are given; as many as r2d2 asks for otherwise.
    pub pooler: Option<usize>,
}

impl Connections {
    /// Server connections of PgBouncer: the given number; else the shipped one, or one for each of r2d2's.
    pub fn pooler_pool(self) -> usize {
        let derived = number(PGBOUNCER_INI, "default_pool_size").max(self.pool);
        self.pooler.unwrap_or(derived)
    }

    /// Client connections of PgBouncer: the shipped number, or room for two servers of this size.
    pub(crate) fn pooler_clients(self) -> usize {
        let servers = self.pooler_pool().max(self.pool);
        number(PGBOUNCER_INI, "max_client_conn").max(2 * servers)
    }

    /// `max_connections` of PostgreSQL: the shipped number, or PgBouncer's and the direct ones.
    pub fn postgres_connections(self) -> usize {
        number(POSTGRESQL_CONF, "max_connections").max(self.pooler_pool() + DIRECT_CONNECTIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pool_grows_with_the_one_before() {
        let of = |pool| Connections { pool, pooler: None };
        assert_eq!(of(8).pooler_pool(), 50);
        let many = of(101);
        assert_eq!(many.pooler_pool(), many.pool);
        let huge = of(902);
        assert_eq!(huge.pooler_clients(), 2 * huge.pooler_pool());
        assert!(huge.postgres_connections() > huge.pooler_pool());
    }

    #[test]
    fn a_given_size_of_the_pooler_is_kept_and_everybody_may_still_log_in() {
        let narrow = Connections {
            pool: 902,
            pooler: Some(2),
        };
        assert_eq!(narrow.pooler_pool(), 2);
        assert_eq!(narrow.pooler_clients(), 2 * narrow.pool);
        let wide = Connections {
            pool: 8,
            pooler: Some(400),
        };
        assert!(wide.postgres_connections() > 400);
    }
}
