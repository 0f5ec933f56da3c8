//! The command line of warrior-bench: errors are printed here, once, with the exit code they mean.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use warrior_load::exit::Exit;

fn main() -> ExitCode {
    let command = match cli::Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // What cannot be printed cannot be told in any other way either.
            error.print().ok();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Passed.into()
            };
        }
    };
    match command.execute() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("warrior-bench: {error:#}");
            Exit::of_error(&error).into()
        }
    }
}
