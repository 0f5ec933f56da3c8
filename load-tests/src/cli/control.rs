//! `control`: the negative control. A check that cannot fail proves nothing.

use std::path::PathBuf;

use clap::Args;
use warrior_load::control::{Trial, control};
use warrior_load::exit::Exit;
use warrior_load::files::create_directory;
use warrior_load::output::say;
use warrior_load::stack::{Programs, server_program};

#[derive(Args)]
pub(crate) struct ControlArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long)]
    programs: Option<PathBuf>,
    /// `off` must lose acknowledged writes, `on` must lose none
    #[arg(long, default_value = "off", value_parser = ["on", "off"])]
    synchronous_commit: String,
    /// How often
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Where the ledgers go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
}

impl ControlArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        create_directory(&self.out)?;
        let trial = Trial {
            programs: Programs {
                postgres: self.programs,
                ..Programs::of_machine(&std::path::absolute(server_program(self.server)?)?)
            },
            synchronous_commit: self.synchronous_commit == "on",
            rounds: self.rounds,
            directory: self.out,
        };
        let mut verdicts = Vec::new();
        let seed = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
        let ended = control(&trial, seed, &mut verdicts);
        let lost: u64 = verdicts.iter().map(|verdict| verdict.lost).sum();
        let rounds = verdicts.iter().filter(|verdict| verdict.lost > 0).count();
        say(format_args!(
            "lost {lost} in {rounds} of {} rounds",
            verdicts.len()
        ));
        if trial.synchronous_commit && lost > 0 {
            return Ok(Exit::Lost.with_files(ended));
        }
        ended?;
        if verdicts.iter().any(|verdict| verdict.acknowledged == 0) {
            say(format_args!(
                "the control failed: in a round nothing was acknowledged, so nothing could be lost"
            ));
            return Ok(Exit::Invalid);
        }
        Ok(if trial.synchronous_commit || lost > 0 {
            Exit::Passed
        } else {
            say(format_args!(
                "the control failed: losses were provoked and not one was found"
            ));
            Exit::Invalid
        })
    }
}
