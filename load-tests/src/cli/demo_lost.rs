//! `demo-lost`: another load tool and this one, against a database that loses what it has acknowledged.

use std::path::PathBuf;

use clap::Args;
use warrior_load::demo_lost::{Demonstration, demo_lost};
use warrior_load::exit::Exit;
use warrior_load::stack::{Programs, server_program};

#[derive(Args)]
pub(crate) struct DemoLostArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Where the ledger, the report and the other tool's output go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
}

impl DemoLostArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        demo_lost(&Demonstration {
            programs: Programs {
                postgres: self.programs,
                ..Programs::of_machine(&std::path::absolute(server_program(self.server)?)?)
            },
            directory: self.out,
        })
    }
}
