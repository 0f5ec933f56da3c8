//! The configuration of an embedded stack.

use std::path::PathBuf;

/// The folder, the ports and the programs of a stack.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// `DATA_DIR`, a path: folder of the cluster, the logs and the generated passwords; `None` for a throw-away stack,
    /// whose rows go with it. A folder that belongs to something else, or to another server that runs, is refused.
    pub data: Option<PathBuf>,
    /// Whether PostgreSQL is sized for the machine. Yes for several stacks side by side takes the memory from each
    /// other, so the default of throw-away stacks is no; no for one that is measured reads from the disk what would
    /// fit into memory.
    pub full_size: bool,
    /// `POSTGRES_PORT`, 0 to 65,535: PgBouncer's TCP port on loopback; 0 lets the stack choose a free one, another at
    /// each start. One that is taken, or below 1024 without the right to it, stops the start.
    pub pooler_port: u16,
    /// `POSTGRES_DIRECT_PORT`, 0 to 65,535: PostgreSQL's TCP port on loopback, as above.
    pub postgres_port: u16,
    /// `POSTGRES_BIN`, a path: folder of PostgreSQL's programs; `None` takes the newest that the machine has. Those of
    /// another major version than the cluster's stop the start.
    pub postgres_bin: Option<PathBuf>,
    /// `PGBOUNCER`, a path: PgBouncer's program; `None` searches the machine.
    pub pgbouncer: Option<PathBuf>,
}
