//! `hello`: what `bench` starts as its reference for HTTP alone.

use clap::Args;
use warrior_bench::hello;
use warrior_load::exit::Exit;

#[derive(Args)]
pub(crate) struct HelloArgs {
    /// Length of the body
    #[arg(long)]
    bytes: usize,
}

impl HelloArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        hello::serve(self.bytes)?;
        Ok(Exit::Passed)
    }
}
