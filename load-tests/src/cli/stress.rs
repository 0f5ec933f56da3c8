//! `stress`: a profile against a throw-away stack, verified, with one verdict.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::Profile;
use warrior_load::stack::Stack;

use super::load_args::LoadArgs;

#[derive(Args)]
pub(crate) struct StressArgs {
    /// The server's binary
    #[arg(long, default_value = "target/release/warrior-api")]
    server: PathBuf,
    /// The profile
    #[arg(long, default_value = "lab")]
    profile: String,
    #[command(flatten)]
    load: LoadArgs,
}

impl StressArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let profile = Profile::load(&self.profile)?;
        let stop = stop_on_interrupt()?;
        let stack = Stack::start(&self.server)?;
        let mut config = self.load.config(profile, &stack.api.url, true)?;
        config.admin = config.admin.or(Some(stack.admin.clone()));
        config.database = config.database.or(Some(stack.database.clone()));
        config.fsync_directory = config.fsync_directory.or(Some(stack.data.clone()));
        self.load
            .run_and_report(&config, &stop)
            .map(|result| result.exit)
    }
}
