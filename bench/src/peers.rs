//! The peers: other programs with the server's contract, on the same stack. They are `bench/rust-peers`.
//!
//! PostgREST's statements, which are compared, too, are among the scripts of [`crate::pgbench`].

use std::process::Command;

use anyhow::{Context, bail};
use warrior_load::stack::{Instance, Stack};

use crate::companion::Companion;
use crate::cpu::Processes;
use crate::http::Request;
use crate::options::BenchOptions;
use crate::pgbench::pooler_prepares;

/// A pool, and a prepared statement for each request, directly on PostgreSQL.
pub(crate) const POOLED: &str = "axum + deadpool";
/// The same with the search of the migration guide, `ILIKE` over all columns.
pub(crate) const GUIDE: &str = "axum + deadpool, guide's SQL";
/// Natural batching on async tasks, through PgBouncer.
pub(crate) const GROUPING: &str = "axum + batches on tasks";

/// The statement behind a search of the pooled peer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SearchBy {
    /// The search function of the schema, as the server calls it.
    Function,
    /// The guide's.
    Guide,
}

/// The peers that were started.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// One for each size of the pool.
    pub(crate) pooled: Vec<(usize, Companion)>,
    /// The place of the one that is best for a work, for each work.
    pub(crate) best: Vec<(&'static str, usize)>,
    pub(crate) guide: Option<Companion>,
    pub(crate) grouping: Option<Companion>,
}

/// The executor of a series of a peer.
pub(crate) fn peer(name: &str, connections: usize) -> String {
    format!("{name}, {connections} connections")
}

/// The connections of the guide's search. One for each core is what it can use.
pub(crate) fn guide_connections() -> usize {
    num_cpus::get()
}

impl Peers {
    /// The pooled peer whose pool is best for this work.
    pub(crate) fn pooled(&self, work: &str) -> anyhow::Result<&Companion> {
        let best = self.best.iter().find(|(best_for, _)| *best_for == work);
        let place = best.map(|(_, place)| *place);
        let found = place.and_then(|place| self.pooled.get(place));
        let (_, companion) = found.context("the pooled peer was not started")?;
        Ok(companion)
    }

    /// Starts a pooled peer directly on PostgreSQL.
    pub(crate) fn start_pooled(
        options: &BenchOptions,
        stack: &Stack,
        connections: usize,
        search: SearchBy,
    ) -> anyhow::Result<Companion> {
        let search = match search {
            SearchBy::Function => "function",
            SearchBy::Guide => "guide",
        };
        let mut command = command(options, stack, stack.postgres, "pooled")?;
        command.args(["--connections", &connections.to_string()]);
        command.args(["--search", search]);
        Companion::start(command)
    }

    /// Starts the grouping peer, with as many tasks as the server has workers in each lane: one for each core, from 2
    /// to 16.
    pub(crate) fn start_grouping(
        options: &BenchOptions,
        stack: &Stack,
    ) -> anyhow::Result<Companion> {
        let mut command = command(options, stack, stack.pooler, "grouping")?;
        command.args(["--workers", &num_cpus::get().clamp(2, 16).to_string()]);
        if pooler_prepares(stack) {
            command.arg("--prepare");
        }
        Companion::start(command)
    }
}

/// A request to the stack's server as one to this peer.
pub(crate) fn to(companion: &Companion, stack: &Stack, request: Request) -> Request {
    Request {
        target: companion.target.clone(),
        processes: Processes::of_stack(stack).with_server(companion.pid()),
        ..request
    }
}

fn command(
    options: &BenchOptions,
    stack: &Stack,
    through: Instance,
    peer: &str,
) -> anyhow::Result<Command> {
    let program = &options.peers;
    if !program.exists() {
        bail!(
            "{} is missing; `cargo build --release -p warrior-peers` builds it, and --peers says where it is",
            program.display()
        );
    }
    let access = stack.runtime(through);
    let mut command = Command::new(program);
    command.args([peer, "--database", &access.connection]);
    if let Some(file) = &access.password_file {
        command.arg("--password-file").arg(file);
    }
    Ok(command)
}
