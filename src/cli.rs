//! The command line: one file for each command.

mod output;
mod process;
#[cfg(feature = "duckdb")]
mod progress;
mod unprivileged;

mod doctor;
#[cfg(feature = "duckdb")]
mod duckdb;
mod generated;
mod health;
mod schema;
mod serve;
mod stack;
mod up;

use std::process::ExitCode;

use warrior_api::config::{Cli, Command};
use warrior_api::ops;

use output::Output;

/// Does what the command line asks for, and gives the exit status of what did not fail.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let output = Output(cli.log_format);
    let logs = || ops::start_logs(cli.log_format, &cli.log_level);
    for note in cli.notes()? {
        output.print_warning(&note);
    }
    match &cli.command {
        Command::Up(args) => up::run(args, output, &logs),
        Command::Serve(args) => {
            let _logs = logs()?;
            serve::run(args, output)
        }
        Command::Stack(args) => stack::run(args, output),
        Command::Schema(args) => schema::run(args, output),
        #[cfg(feature = "duckdb")]
        Command::DuckDb(args) => return duckdb::run(args, output),
        Command::Health(args) => health::run(args),
        Command::Doctor(args) => return doctor::run(args),
        Command::Completions(args) => generated::print_completions(args),
        Command::Manual(args) => generated::write_manual(args),
    }?;
    Ok(ExitCode::SUCCESS)
}
