//! The embedded stack: its data folder, its ports and its programs.
//!
//! `DATA_DIR`, `POSTGRES_PORT`, `POSTGRES_DIRECT_PORT`, `POSTGRES_BIN`, `PGBOUNCER`, `PGBOUNCER_DEFAULT_POOL_SIZE`.

use std::path::PathBuf;

use clap::Args;
use warrior_stack::{Connections, Embedded};

use super::error::{ConfigError, within};
use super::sizes::Sizes;

#[derive(Debug, Args)]
pub(super) struct EmbeddedArgs {
    /// Folder for the cluster, its logs and its generated passwords
    #[arg(
        long,
        env = "DATA_DIR",
        value_name = "DATA_DIR",
        default_value = "data"
    )]
    pub(super) data: PathBuf,
    /// Use a throw-away folder and free ports; everything is removed at the end
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Give a throw-away PostgreSQL as much memory as one that is kept, not 256 MB at most
    #[arg(long, requires = "ephemeral")]
    pub(super) full_size: bool,
    /// PgBouncer's port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_PORT",
        value_name = "POSTGRES_PORT",
        default_value_t = 6432
    )]
    pub(super) postgres_port: u16,
    /// PostgreSQL's own port on 127.0.0.1
    #[arg(
        long,
        env = "POSTGRES_DIRECT_PORT",
        value_name = "POSTGRES_DIRECT_PORT",
        default_value_t = 6433
    )]
    pub(super) postgres_direct_port: u16,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long, env = "POSTGRES_BIN", value_name = "POSTGRES_BIN")]
    pub(super) postgres_bin: Option<PathBuf>,
    /// PgBouncer's program [default: the machine's]
    #[arg(long, env = "PGBOUNCER", value_name = "PGBOUNCER")]
    pub(super) pgbouncer: Option<PathBuf>,
    /// `PGBOUNCER_DEFAULT_POOL_SIZE`, 1 to 10,000: connections from PgBouncer to PostgreSQL, as the containers call it,
    /// too. Too many let more statements run at once than PostgreSQL has processors for; too few keep workers waiting
    /// in PgBouncer, which refuses them after a second.
    #[arg(
        long,
        help = "Connections from PgBouncer to PostgreSQL [default: 50, or as many as r2d2 has]",
        env = "PGBOUNCER_DEFAULT_POOL_SIZE",
        value_name = "PGBOUNCER_DEFAULT_POOL_SIZE"
    )]
    pub(super) pgbouncer_default_pool_size: Option<usize>,
}

impl EmbeddedArgs {
    pub(super) fn resolve(&self) -> Embedded {
        let (data, pooler_port, postgres_port) = if self.ephemeral {
            (None, 0, 0)
        } else {
            let data = Some(self.data.clone());
            (data, self.postgres_port, self.postgres_direct_port)
        };
        Embedded {
            full_size: data.is_some() || self.full_size,
            data,
            pooler_port,
            postgres_port,
            postgres_bin: self.postgres_bin.clone(),
            pgbouncer: self.pgbouncer.clone(),
        }
    }

    /// The connections of the pools, for a server of these sizes.
    pub(super) fn connections(&self, sizes: &Sizes) -> Result<Connections, ConfigError> {
        let name = "PGBOUNCER_DEFAULT_POOL_SIZE";
        let given = self.pgbouncer_default_pool_size;
        Ok(Connections {
            pool: sizes.pool(),
            pooler: given.map(|n| within(name, n, 1..=10_000)).transpose()?,
        })
    }
}
