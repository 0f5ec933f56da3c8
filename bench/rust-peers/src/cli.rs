//! The command line: one command for each peer.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tokio_postgres::Config;

use crate::grouping::Grouping;
use crate::pooled::{Pooled, Search};
use crate::store::Store;

/// The API of warrior-api as others would write it: prints its address, and serves until standard input ends.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Subcommand)]
enum Peer {
    /// axum, deadpool, and a prepared statement for each request
    Pooled {
        #[command(flatten)]
        database: Database,
        /// Connections of the pool
        #[arg(long)]
        connections: usize,
        /// The statement behind a search
        #[arg(long, value_enum)]
        search: Search,
    },
    /// axum, and tasks that each take all that waits as one statement
    Grouping {
        #[command(flatten)]
        database: Database,
        /// Tasks, and so connections, of each lane
        #[arg(long)]
        workers: usize,
        /// Keep prepared statements, which PgBouncer before 1.21 loses
        #[arg(long)]
        prepare: bool,
    },
}

#[derive(Args)]
struct Database {
    /// How to connect: `host=... port=... user=... dbname=...`
    #[arg(long = "database")]
    connection: String,
    /// The file with the role's password
    #[arg(long)]
    password_file: PathBuf,
}

impl Cli {
    /// The store that the command names, connected.
    pub(crate) async fn store(&self) -> anyhow::Result<Store> {
        Ok(match &self.peer {
            Peer::Pooled {
                database,
                connections,
                search,
            } => Store::Pooled(Pooled::start(database.config()?, *connections, *search).await?),
            Peer::Grouping {
                database,
                workers,
                prepare,
            } => Store::Grouping(Grouping::start(&database.config()?, *workers, *prepare).await?),
        })
    }
}

impl Database {
    fn config(&self) -> anyhow::Result<Config> {
        let mut config: Config = self.connection.parse().with_context(|| {
            format!(
                "--database `{}` is not `host=... port=... user=... dbname=...`",
                self.connection
            )
        })?;
        let path = &self.password_file;
        let password = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read --password-file {}", path.display()))?;
        config.password(password.trim_end_matches(['\r', '\n']));
        Ok(config)
    }
}
