//! `stress`: a profile against a throw-away stack, verified, with one verdict.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::Profile;
use warrior_load::report::only_too_slow;
use warrior_load::stack::{Stack, server_program};

use super::load_args::{OutArgs, SendArgs, WatchArgs};

#[derive(Args)]
pub(crate) struct StressArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// The profile
    #[arg(long, default_value = "lab")]
    profile: String,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

impl StressArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let profile = Profile::load(&self.profile)?;
        let stop = stop_on_interrupt()?;
        let overrides = self.send.overrides(self.out.lateness_max);
        let stack = Stack::start(&server_program(self.server.clone())?)?;
        let mut config = (self.watch).config(profile, stack.api.clone(), overrides, &self.out)?;
        config.verify = true;
        config.admin = config.admin.or(Some(stack.admin.clone()));
        config.database = config.database.or(Some(stack.database.clone()));
        config.fsync_directory = config.fsync_directory.or(Some(stack.data.clone()));
        let result = self.watch.run_and_report(&config, &stop)?;
        if let Some(sentence) = only_too_slow(&result) {
            say(format_args!("{sentence}"));
            say(format_args!("{}", self.next_commands()));
        }
        Ok(result.exit)
    }

    /// What to type where the machine may be what was too slow.
    fn next_commands(&self) -> String {
        let program = std::env::args().next().unwrap_or("warrior-load".to_owned());
        let mut lines = vec![
            "next, with nothing else at work on this machine:".to_owned(),
            format!("  {program} calibrate                  # whether it can measure at all"),
            format!(
                "  {program} stress{}  # the same once more",
                self.send.flags(&self.profile)
            ),
        ];
        if self.profile == "lab" {
            let flags = self.send.flags("lab-limited");
            let line = format!("  {program} stress{flags}  # with the limits of a small machine");
            lines.push(line);
        }
        lines.join("\n")
    }
}
