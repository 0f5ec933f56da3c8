//! `report`: the pages of a stored result, written again.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::report;
use warrior_load::result::RunResult;

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The JSON of a result
    result: PathBuf,
    /// Where the files go; beside the result without
    #[arg(long)]
    out: Option<PathBuf>,
}

impl ReportArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let result = RunResult::read(&self.result)?;
        let beside = self.result.parent().map(PathBuf::from).unwrap_or_default();
        say(format_args!("{}", report::verdict_lines(&result)));
        let files = report::write(&result, &self.out.unwrap_or(beside))?;
        say(format_args!("report: {}", files.html.display()));
        Ok(Exit::Passed)
    }
}
