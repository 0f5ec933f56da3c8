//! The command line and the wiring, nothing else.

use std::process::ExitCode;

use warrior_api::config::{self, Command};
use warrior_api::stack;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("warrior-api: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let cli = config::load()?;
    match cli.command {
        Command::Stack(args) => {
            let sizes = args.sizes()?;
            let mut embedded = args.embedded();
            if let Some(left) = stack::leave_root(&embedded)? {
                left.moved
                    .iter()
                    .for_each(|sentence| eprintln!("{sentence}"));
                embedded.data = left.data;
            }
            Ok(stack::supervise(&embedded, &sizes)?)
        }
        Command::Up(_) | Command::Serve(_) | Command::Schema(_) => {
            anyhow::bail!("this command is wired later")
        }
    }
}
