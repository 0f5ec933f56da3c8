//! `verify`: a ledger against the database, any time later.

use std::path::PathBuf;

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::ledger;
use warrior_load::output::say;
use warrior_load::target::Target;
use warrior_load::verify::{Exclusivity, verify_directly, verify_ledger};

use super::load_args::DatabaseArgs;

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The ledger
    ledger: PathBuf,
    /// Base URL of the API; the ledger's own target without
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl VerifyArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let (header, attempts) = ledger::read(&self.ledger)?;
        let database = self.database.access();
        let target = Target::parse(self.url.as_deref().unwrap_or(&header.target))?;
        let verdicts = match (&database, target.reach()) {
            // The server may be gone by now; the table alone can still be judged.
            (Some(access), Err(_)) if self.url.is_none() => {
                vec![verify_directly(access, &header, &attempts, None)?]
            }
            (_, reached) => {
                reached?;
                let exclusivity = Exclusivity::Shared;
                verify_ledger(&self.ledger, &target, database.as_ref(), exclusivity)?
            }
        };
        verdicts
            .iter()
            .for_each(|verdict| say(format_args!("{verdict}")));
        Ok(if verdicts.iter().any(|verdict| !verdict.holds()) {
            Exit::Lost
        } else if verdicts.iter().all(|verdict| verdict.undetermined > 0) {
            Exit::Invalid
        } else {
            Exit::Passed
        })
    }
}
