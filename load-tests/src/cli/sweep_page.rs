//! `sweep-page`: what a sweep of containers has measured, as one page.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::report;
use warrior_load::sweep::Sweep;

use super::load_args::DocumentArgs;

#[derive(Args)]
pub(crate) struct SweepPageArgs {
    /// The folder that scripts/compose-sweep has left
    folder: PathBuf,
    #[command(flatten)]
    document: DocumentArgs,
}

impl SweepPageArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        self.document.reserve();
        let sweep = Sweep::read(&self.folder)?;
        say(format_args!("{}", sweep.sentence));
        for why in &sweep.invalid {
            say(format_args!("INVALID: {why}"));
        }
        let written = report::write_sweep(&sweep, &self.folder)
            .map(|page| say(format_args!("report: {}", page.display())));
        let printed = self.document.print(&sweep);
        Ok(sweep.exit.with_files(written).with_files(printed))
    }
}
