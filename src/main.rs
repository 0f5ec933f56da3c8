//! The program: its allocator, its configuration, the command that was asked for, and its exit status.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tracing::Level;
use warrior_api::config::{self, LogFormat};
use warrior_api::ops;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let (format, outcome) = match config::load() {
        Ok(cli) => (cli.log_format, cli::run(&cli)),
        Err(e) => (LogFormat::Text, Err(e.into())),
    };
    match outcome {
        Ok(status) => status,
        Err(e) => {
            ops::say(format, Level::ERROR, &format!("warrior-api: {e:#}"));
            ExitCode::FAILURE
        }
    }
}
