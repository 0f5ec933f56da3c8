//! The command line of warrior-load.

mod cli;

use std::process::ExitCode;

use cli::Cli;
use warrior_load::process::run_program;

fn main() -> ExitCode {
    run_program(|cli: Cli| cli.command.execute())
}
