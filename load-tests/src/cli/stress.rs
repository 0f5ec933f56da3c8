//! `stress`: a profile against a throw-away stack, verified, with one verdict.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::Profile;
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
        let stack = Stack::start(&server_program(self.server)?)?;
        let mut config = (self.watch).config(profile, stack.api.clone(), overrides, &self.out)?;
        config.verify = true;
        config.admin = config.admin.or(Some(stack.admin.clone()));
        config.database = config.database.or(Some(stack.database.clone()));
        config.fsync_directory = config.fsync_directory.or(Some(stack.data.clone()));
        self.watch
            .run_and_report(&config, &stop)
            .map(|result| result.exit)
    }
}
