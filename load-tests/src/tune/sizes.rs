//! The sizes that are tuned: workers of each lane, the largest batch, and PgBouncer's pool.

use std::fmt;
use std::ops::RangeInclusive;

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warrior_stack::Connections;

/// The ceiling of r2d2's size (`DB_POOL_MAX`), above which the server does not start.
const CONNECTIONS_MAX: u32 = 100;

/// The least and the greatest `WORKERS` that are read: each lane has one, and none more than are tried.
pub(super) const WORKERS: RangeInclusive<u32> = 3..=192;

/// One configuration.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Sizes {
    /// `WORKERS_CREATE`.
    pub create: u32,
    /// `WORKERS_FIND`.
    pub find: u32,
    /// `WORKERS_SEARCH`.
    pub search: u32,
    /// `BATCH_MAX`.
    pub batch_max: u32,
    /// PgBouncer's `default_pool_size`.
    pub pooler: u32,
}

/// One of them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Workers that create.
    Create,
    /// Workers that find and count.
    Find,
    /// Workers that search.
    Search,
    /// The largest batch.
    Batch,
    /// PgBouncer's pool.
    Pooler,
}

impl Size {
    /// All of them.
    pub const ALL: [Size; 5] = [
        Size::Create,
        Size::Find,
        Size::Search,
        Size::Batch,
        Size::Pooler,
    ];
    /// Those that are workers.
    pub const LANES: [Size; 3] = [Size::Create, Size::Find, Size::Search];

    /// The variable that gives it.
    pub fn variable(self) -> &'static str {
        match self {
            Size::Create => "WORKERS_CREATE",
            Size::Find => "WORKERS_FIND",
            Size::Search => "WORKERS_SEARCH",
            Size::Batch => "BATCH_MAX",
            Size::Pooler => "PGBOUNCER_DEFAULT_POOL_SIZE",
        }
    }

    /// What it is, for reading.
    pub fn name(self) -> &'static str {
        match self {
            Size::Create => "workers that create",
            Size::Find => "workers that find",
            Size::Search => "workers that search",
            Size::Batch => "largest batch",
            Size::Pooler => "PgBouncer's pool",
        }
    }

    /// The least and the greatest value that is tried.
    fn range(self) -> (u32, u32) {
        match self {
            Size::Create | Size::Find | Size::Search => (1, 64),
            Size::Batch => (1, 4096),
            Size::Pooler => (1, 256),
        }
    }
}

impl Sizes {
    /// The sizes that the server and the stack choose by themselves on so many cores.
    pub fn of_cores(cores: usize) -> Sizes {
        let total = u32::try_from(3 * cores).unwrap_or(u32::MAX).clamp(6, 48);
        Sizes {
            batch_max: 128,
            ..Sizes::of_workers(total)
        }
        .with_derived_pooler()
    }

    /// So many workers split over the lanes, as `WORKERS` is; the remainder goes to create first, then to find.
    pub fn of_workers(total: u32) -> Sizes {
        Sizes {
            create: total.div_ceil(3),
            find: (total + 1) / 3,
            search: total / 3,
            batch_max: 128,
            pooler: 0,
        }
    }

    /// The pool that the embedded stack derives from the workers.
    pub fn with_derived_pooler(self) -> Sizes {
        let connections = Connections {
            pool: self.connections() as usize,
            pooler: None,
        };
        let pooler = u32::try_from(connections.pooler_pool()).unwrap_or(u32::MAX);
        Sizes { pooler, ..self }
    }

    /// Workers in all lanes.
    pub fn workers(&self) -> u32 {
        self.create + self.find + self.search
    }

    /// r2d2's connections: one for each worker, one for the probe and one for the flusher.
    pub fn connections(&self) -> u32 {
        self.workers() + 2
    }

    /// `max_connections` of PostgreSQL that go with them.
    pub fn postgres_connections(&self) -> u32 {
        let connections = Connections {
            pool: self.connections() as usize,
            pooler: Some(self.pooler as usize),
        };
        u32::try_from(connections.postgres_connections()).unwrap_or(u32::MAX)
    }

    /// One of the sizes.
    pub fn get(&self, size: Size) -> u32 {
        match size {
            Size::Create => self.create,
            Size::Find => self.find,
            Size::Search => self.search,
            Size::Batch => self.batch_max,
            Size::Pooler => self.pooler,
        }
    }

    /// The same with another value of one, within what is tried.
    pub fn with(mut self, size: Size, value: u32) -> Sizes {
        let (least, most) = size.range();
        let value = value.clamp(least, most);
        match size {
            Size::Create => self.create = value,
            Size::Find => self.find = value,
            Size::Search => self.search = value,
            Size::Batch => self.batch_max = value,
            Size::Pooler => self.pooler = value,
        }
        self
    }

    /// The same with a value that was given.
    ///
    /// # Errors
    /// When it lies outside of what is tried: another value would be measured in its place.
    pub(super) fn with_given(self, size: Size, value: u32) -> anyhow::Result<Sizes> {
        let (least, most) = size.range();
        ensure!(
            (least..=most).contains(&value),
            "{} is {value}; want {least} to {most} to tune from",
            size.variable()
        );
        Ok(self.with(size, value))
    }

    /// Whether a server starts with them.
    pub fn is_allowed(&self) -> bool {
        self.connections() <= CONNECTIONS_MAX
    }

    /// The sizes that differ from another configuration's.
    pub fn changes_from(&self, other: &Sizes) -> Vec<Size> {
        let differs = |size: &Size| self.get(*size) != other.get(*size);
        Size::ALL.into_iter().filter(differs).collect()
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes {
            create,
            find,
            search,
            batch_max,
            pooler,
        } = self;
        write!(f, "workers {create}+{find}+{search}, batch {batch_max}, ")?;
        match pooler {
            0 => f.write_str("past PgBouncer"),
            _ => write!(f, "pool {pooler}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_server() {
        for (cores, sizes) in [
            (1, (2, 2, 2, 128, 50)),
            (2, (2, 2, 2, 128, 50)),
            (4, (4, 4, 4, 128, 50)),
            (64, (16, 16, 16, 128, 50)),
        ] {
            let found = Sizes::of_cores(cores);
            let Sizes {
                create,
                find,
                search,
                batch_max,
                pooler,
            } = found;
            assert_eq!((create, find, search, batch_max, pooler), sizes);
        }
        let seven = Sizes::of_workers(7);
        assert_eq!((seven.create, seven.find, seven.search), (3, 2, 2));
        let eight = Sizes::of_workers(8);
        assert_eq!((eight.create, eight.find, eight.search), (3, 3, 2));
    }

    #[test]
    fn the_layers_agree() {
        let many = Sizes::of_workers(90).with_derived_pooler();
        assert_eq!(many.pooler, many.connections());
        assert!(many.is_allowed() && !Sizes::of_workers(99).is_allowed());
        let wide = many.with(Size::Pooler, 200);
        assert!(wide.postgres_connections() > 200);
        assert_eq!(wide.changes_from(&many), [Size::Pooler]);
    }
}
