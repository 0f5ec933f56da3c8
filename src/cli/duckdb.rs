//! `warrior-api duckdb`: the way over from a DuckDB file, and the way back.

mod check;
mod export;
mod import;
mod interrupt;

use std::process::ExitCode;

use anyhow::Context;
use nix::sys::stat::{Mode, umask};
use postgres::Client;
use warrior_api::config::{DuckDbAction, DuckDbArgs};
use warrior_api::store::connect_direct;

use super::output::Output;

/// The exit status when a file and PostgreSQL differ.
const DIFFERENT: u8 = 5;

pub(super) fn run(args: &DuckDbArgs, output: Output) -> anyhow::Result<ExitCode> {
    // What is written here holds every warrior: a file that is exported, rows that are left out, what a sort spills.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    match &args.action {
        DuckDbAction::Import(import) => import::run(args, import, output),
        DuckDbAction::Check(check) => check::run(args, check, output),
        DuckDbAction::Export(export) => export::run(args, export, output),
    }
}

/// A direct connection as the owner of the schema.
fn owner(args: &DuckDbArgs) -> anyhow::Result<Client> {
    connect_direct(&args.owner()?).context(
        "duckdb commands log in directly, with POSTGRES_DIRECT_HOST, POSTGRES_DIRECT_PORT, POSTGRES_OWNER and \
         POSTGRES_OWNER_PASSWORD(_FILE)",
    )
}
