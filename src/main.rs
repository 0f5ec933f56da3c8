//! The program: its allocator, its configuration, the command that was asked for, and its exit status.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tracing::Level;
use warrior_api::config::{self, Loaded, LogFormat};
use warrior_api::ops;
use warrior_stack::StackError;

/// Exit status where the data is gone: started again, `up` would serve an empty database in its place.
const DATA_GONE: u8 = 4;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let (format, outcome) = match config::load() {
        Ok(Loaded::Command(cli)) => (cli.log_format, cli::run(&cli)),
        Ok(Loaded::Told(status)) => return status,
        Err(e) => (LogFormat::Text, Err(e.into())),
    };
    match outcome {
        Ok(status) => status,
        Err(e) => {
            ops::say(format, Level::ERROR, &format!("warrior-api: {e:#}"));
            match e.downcast_ref() {
                Some(StackError::Vanished { .. }) => ExitCode::from(DATA_GONE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
