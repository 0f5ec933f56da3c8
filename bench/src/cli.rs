//! The command line: one file a command.

mod bench;
mod generator_threads;
mod hello;
mod settings;

use clap::{Parser, Subcommand};
use warrior_load::exit::Exit;

use self::bench::BenchArgs;
use self::hello::HelloArgs;
use self::settings::SettingsArgs;

const EXIT_CODES: &str = "Exit codes:
  0  measured, whatever the targets say
  1  usage: wrong arguments; or a stack, a reference or a file that failed
  5  a search answered other rows than its plain definition
  6  interrupted: there is no result of half a bench";

/// What the server does per second beside references, and what each setting of its stack is worth.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Measure what the server does per second beside references, and judge the ratios
    Bench(BenchArgs),
    /// Measure what it would cost to leave a setting of the stack at its default
    Settings(SettingsArgs),
    /// What `bench` starts as its reference for HTTP alone
    #[command(hide = true)]
    Hello(HelloArgs),
}

impl Command {
    pub(crate) fn execute(self) -> anyhow::Result<Exit> {
        match self {
            Command::Bench(args) => args.execute(),
            Command::Settings(args) => args.execute(),
            Command::Hello(args) => args.execute(),
        }
    }
}
