//! `fuzz`: requests that no client should send, against a throw-away stack.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::fuzz::{Fuzz, fuzz};
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::stack::server_program;

#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// For how long at most
    #[arg(long = "for", value_name = "LENGTH", default_value = "1m", value_parser = humantime::parse_duration)]
    length: Duration,
    /// Draws the cases [default: any]
    #[arg(long)]
    seed: Option<u64>,
    /// The number of the first case, to send again what has failed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Most cases [default: as many as there is time for]
    #[arg(long)]
    cases: Option<u64>,
}

impl FuzzArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        let stop = stop_on_interrupt()?;
        let seed = self
            .seed
            .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 12);
        let log =
            std::env::temp_dir().join(format!("warrior-load-fuzz-{}.log", uuid::Uuid::new_v4()));
        let plan = Fuzz {
            seed,
            first: self.first,
            cases: self.cases,
            length: self.length,
        };
        let report = fuzz(&server_program(self.server)?, &log, &plan, &stop)?;
        say(format_args!("seed {seed}: {report}"));
        let Some(found) = &report.found else {
            match &report.invalid {
                Some(why) => say(format_args!("INVALID: {why}")),
                None => say(format_args!(
                    "crashes 0, panics 0; every answer was one of the contract"
                )),
            }
            std::fs::remove_file(&log).ok();
            return Ok(report.exit());
        };
        let (first, count) = (found.cases.start, found.cases.end - found.cases.start);
        say(format_args!("PROMISE BROKEN: {}", found.what));
        if let Some(sent) = found.sent(seed) {
            say(format_args!("sent: {sent}"));
        }
        say(format_args!(
            "the same again: warrior-load fuzz --seed {seed} --first {first} --cases {count}; the server's log: {}",
            log.display()
        ));
        Ok(report.exit())
    }
}
