//! The configuration of an embedded stack.

use std::path::PathBuf;

/// The folder, the ports and the programs of a stack.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// `DATA_DIR`: folder of the cluster, the logs and the generated passwords; `None` for a throw-away stack.
    pub data: Option<PathBuf>,
    /// Whether PostgreSQL is sized for the machine. Throw-away stacks run side by side, so their default is
    /// no.
    pub full_size: bool,
    /// `POSTGRES_PORT`: PgBouncer's port on loopback; 0 lets the stack choose a free one.
    pub pooler_port: u16,
    /// `POSTGRES_DIRECT_PORT`: PostgreSQL's port on loopback; 0 lets the stack choose a free one.
    pub postgres_port: u16,
    /// `POSTGRES_BIN`: folder of PostgreSQL's programs; `None` searches the machine.
    pub postgres_bin: Option<PathBuf>,
    /// `PGBOUNCER`: PgBouncer's program; `None` searches the machine.
    pub pgbouncer: Option<PathBuf>,
}
