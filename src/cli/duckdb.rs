//! `warrior-api duckdb`: the way over from a DuckDB file.

mod import;

use std::process::ExitCode;

use warrior_api::config::{DuckDbAction, DuckDbArgs};

use super::output::Output;

pub(super) fn run(args: &DuckDbArgs, output: Output) -> anyhow::Result<ExitCode> {
    match &args.action {
        DuckDbAction::Import(import) => import::run(args, import, output),
    }
}
