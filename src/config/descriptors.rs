//! Client connections within the descriptor limit (`RLIMIT_NOFILE`), of which the database and operators keep
//! their share.
//!
//! While clients hold every descriptor, the database cannot be reached again and `/live` cannot be asked.

use super::sizes::Sizes;

/// Descriptors reserved for each connection to the database: its socket, and those of the synchronous client's own
/// runtime (two pollers, a waker, a signal socket).
const DESCRIPTORS_PER_DATABASE_CONNECTION: usize = 5;
/// Descriptors reserved for everything else: listeners, logs, the runtime, the admin listener's connections, a child
/// that is started.
const DESCRIPTORS_OF_OTHERS: usize = 48;

impl Sizes {
    /// Lowers `connections_max` to what `limit` descriptors allow, with a warning when that serves fewer clients
    /// than were asked for.
    pub fn fit_descriptors(&mut self, limit: usize) {
        let served = self.connections_within(limit);
        if served < self.connections_max {
            let needed = self.descriptors_needed();
            tracing::warn!(
                limit,
                needed,
                served,
                "too few file descriptors for MAX_CONNECTIONS: fewer clients are served at once; raise the \
                 limit (ulimit -n {needed}) or lower MAX_CONNECTIONS to {served}"
            );
        }
        self.connections_max = served;
    }

    /// The client connections that `limit` descriptors allow: at least one, so that the server serves at all.
    pub fn connections_within(&self, limit: usize) -> usize {
        limit
            .saturating_sub(self.reserved())
            .clamp(1, self.connections_max.max(1))
    }

    /// The descriptors that all of `connections_max` need.
    pub fn descriptors_needed(&self) -> usize {
        self.connections_max.saturating_add(self.reserved())
    }

    fn reserved(&self) -> usize {
        self.pool() * DESCRIPTORS_PER_DATABASE_CONNECTION + DESCRIPTORS_OF_OTHERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_leave_descriptors_to_the_database_and_to_operators() {
        let sizes = Sizes {
            workers_create: 2,
            workers_find: 2,
            workers_search: 2,
            pool_min: 0,
            batch_max: 1,
            queue_max: 1,
            connections_max: 10_000,
        };
        assert_eq!(sizes.connections_within(128), 128 - 8 * 5 - 48);
        assert_eq!(sizes.connections_within(1_048_576), 10_000);
        assert_eq!(sizes.connections_within(64), 1);
    }
}
