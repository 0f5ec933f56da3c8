//! `rehearse`: from a DuckDB file to PostgreSQL and back, on a throw-away stack.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::profile::{Overrides, Profile};
use warrior_load::rehearse::{Rehearsal, creates, rehearse};
use warrior_load::stack::server_program;

#[derive(Args)]
pub(crate) struct RehearseArgs {
    /// The DuckDB file; it is only read
    file: PathBuf,
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// The libduckdb to load [default: the first of ../lib beside the server and the system's folders]
    #[arg(long, env = "DUCKDB_LIBRARY", value_name = "DUCKDB_LIBRARY")]
    library: Option<PathBuf>,
    /// The load between the way over and the way back; it has to create
    #[arg(long, default_value = "smoke")]
    profile: String,
    /// Instead of a profile: this many creates, 500 a second, each of which has to be acknowledged
    #[arg(long, conflicts_with = "profile", value_parser = clap::value_parser!(u64).range(1..))]
    creates: Option<u64>,
    /// When 1 % of the requests begin later than this after their moment, the load is INVALID;
    /// the profile's limit (5ms) without
    #[arg(long, value_parser = humantime::parse_duration)]
    lateness_max: Option<std::time::Duration>,
    /// Where the ledger, the results and the exported file go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
    /// Further flags of `warrior-api duckdb import` and `check`, after --
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<String>,
}

impl RehearseArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        let rehearsal = Rehearsal {
            server: std::path::absolute(server_program(self.server)?)?,
            file: self.file,
            library: self.library,
            flags: self.flags,
            profile: match self.creates {
                None => Profile::load(&self.profile)?,
                Some(number) => creates(number)?,
            },
            overrides: Overrides {
                lateness_max: self.lateness_max,
                ..Overrides::seeded(uuid::Uuid::new_v4().as_u64_pair().0 >> 12)
            },
            directory: self.out,
        };
        rehearse(&rehearsal, &stop_on_interrupt()?)
    }
}
