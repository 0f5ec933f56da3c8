//! The capacities of the server: worker threads, connections of r2d2, queues, batches and client connections.
//!
//! `warrior_stack::Connections` derives the connections of PgBouncer and PostgreSQL from [`Sizes::pool`].
//!
//! `WORKERS` (also `GUNICORN_WORKERS`), `WORKERS_CREATE`, `WORKERS_FIND`, `WORKERS_SEARCH`, `DB_POOL_MIN`,
//! `DB_POOL_MAX`, `QUEUE_MAX`, `BATCH_MAX`, `MAX_CONNECTIONS`.

use std::str::FromStr;

use clap::Args;

use super::error::{ConfigError, within};

/// Threads, connections, queues and batches of one server.
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
    /// `DB_POOL_MIN`, 0 to [`Sizes::pool`], to which more is lowered: connections that r2d2 keeps open even when idle. Too many hold PostgreSQL's memory; too
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

    /// One worker creates: a file takes one commit at a time, so a second one would only make smaller batches, and its
    /// transactions could conflict.
    pub(super) fn write_one_by_one(&mut self) {
        self.workers_create = 1;
    }
}

#[derive(Debug, Args)]
pub(super) struct SizesArgs {
    /// Most requests that may wait in one lane; one more is refused with 503
    #[arg(
        long,
        env = "QUEUE_MAX",
        value_name = "QUEUE_MAX",
        default_value_t = 2048
    )]
    pub(super) queue_max: usize,
    /// Most requests that one statement may carry
    #[arg(
        long,
        env = "BATCH_MAX",
        value_name = "BATCH_MAX",
        default_value_t = 128
    )]
    pub(super) batch_max: usize,
    /// Most client connections at once
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        value_name = "MAX_CONNECTIONS",
        default_value_t = 10_000
    )]
    pub(super) max_connections: usize,
    /// Worker threads in all, split over the three lanes; auto is 3 per core, 6 to 48 [default: the number
    /// of GUNICORN_WORKERS, else auto]
    #[arg(long, env = "WORKERS", value_name = "WORKERS")]
    pub(super) workers: Option<Workers>,
    /// What the service before this one called it
    #[arg(
        long,
        env = "GUNICORN_WORKERS",
        value_name = "GUNICORN_WORKERS",
        hide = true
    )]
    pub(super) gunicorn_workers: Option<Workers>,
    /// Worker threads that create [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_CREATE", value_name = "WORKERS_CREATE")]
    pub(super) workers_create: Option<usize>,
    /// Worker threads that find and count [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_FIND", value_name = "WORKERS_FIND")]
    pub(super) workers_find: Option<usize>,
    /// Worker threads that search [default: their share of WORKERS]
    #[arg(long, env = "WORKERS_SEARCH", value_name = "WORKERS_SEARCH")]
    pub(super) workers_search: Option<usize>,
    /// Connections that r2d2 keeps open even when idle, at most all [default: as many as workers]
    #[arg(long, env = "DB_POOL_MIN", value_name = "DB_POOL_MIN")]
    pub(super) db_pool_min: Option<usize>,
    /// `DB_POOL_MAX`, in connections: the ceiling of r2d2's size, which is the number of workers, and two
    /// ([`Sizes::pool`]); any number is taken. Too high: a `WORKERS` that the pooler and PostgreSQL have no connections
    /// for is found out under load. Too low: the server does not start.
    #[arg(
        long,
        help = "Ceiling of r2d2's size, which is the number of workers, and two",
        env = "DB_POOL_MAX",
        value_name = "DB_POOL_MAX",
        default_value_t = 100
    )]
    pub(super) db_pool_max: usize,
}

/// A number of worker threads, given or derived from the machine's cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    Auto,
    Total(usize),
}

impl FromStr for Workers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::Total)
                .map_err(|_| "it is neither a number nor auto"),
        }
    }
}

impl SizesArgs {
    /// The sizes; see [`Sizes`] for what too high and too low do.
    pub(super) fn resolve(&self) -> Result<Sizes, ConfigError> {
        let sizes = self.without_ceiling()?;
        let connections = sizes.pool();
        if connections > self.db_pool_max {
            return Err(ConfigError(format!(
                "{} workers, the probe and the flusher need {connections} database connections, \
                 but DB_POOL_MAX is {}; lower WORKERS or raise DB_POOL_MAX (and PgBouncer's \
                 default_pool_size with it)",
                sizes.workers(),
                self.db_pool_max
            )));
        }
        Ok(sizes)
    }

    /// The sizes before a database that has no pool.
    pub(super) fn without_ceiling(&self) -> Result<Sizes, ConfigError> {
        let (name, total) = match self.workers {
            Some(workers) => ("WORKERS", Some(workers)),
            None => ("GUNICORN_WORKERS", self.gunicorn_workers),
        };
        let total = match total {
            Some(Workers::Total(n)) => within(name, n, 3..=1000)?,
            Some(Workers::Auto) | None => (3 * num_cpus::get()).clamp(6, 48),
        };
        let share = |name, given: Option<usize>, of_total: usize| match given {
            Some(n) => within(name, n, 1..=1000),
            None => Ok(of_total),
        };
        // The remainder of the division by three goes to create first, then to find.
        let workers_create = share("WORKERS_CREATE", self.workers_create, total.div_ceil(3))?;
        let workers_find = share("WORKERS_FIND", self.workers_find, (total + 1) / 3)?;
        let workers_search = share("WORKERS_SEARCH", self.workers_search, total / 3)?;
        let workers = workers_create + workers_find + workers_search;
        let mut sizes = Sizes {
            workers_create,
            workers_find,
            workers_search,
            pool_min: self.db_pool_min.unwrap_or(workers),
            batch_max: within("BATCH_MAX", self.batch_max, 1..=10_000)?,
            queue_max: within("QUEUE_MAX", self.queue_max, 1..=1_000_000)?,
            connections_max: within("MAX_CONNECTIONS", self.max_connections, 1..=1_000_000)?,
        };
        sizes.pool_min = sizes.pool_min.min(sizes.pool());
        Ok(sizes)
    }
}
