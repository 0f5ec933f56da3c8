//! `verify`: a ledger against the database, any time later.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::ledger;
use warrior_load::output::say;
use warrior_load::verify::{Exclusivity, verify_directly, verify_ledger};

use super::load_args::{DatabaseArgs, DocumentArgs, TrustArgs};

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The ledger
    ledger: PathBuf,
    /// Base URL of the API; the ledger's own target without
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    document: DocumentArgs,
}

impl VerifyArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        self.document.reserve();
        let (header, attempts) = ledger::read(&self.ledger)?;
        let database = self.database.access();
        let target = match &self.url {
            Some(url) => self.trust.target(url)?,
            None => (self.trust.target(&header.target))
                .with_context(|| format!("the target in {}", self.ledger.display()))?,
        };
        self.trust.check([&target])?;
        let verdicts = match (&database, target.reach()) {
            // The server may be gone by now; the table alone can still be judged.
            (Some(access), Err(_)) if self.url.is_none() => {
                vec![verify_directly(access, &header, &attempts, None)?]
            }
            (_, reached) => {
                let exclusivity = Exclusivity::Shared;
                verify_ledger(&self.ledger, &reached?, database.as_ref(), exclusivity)?
            }
        };
        verdicts
            .iter()
            .for_each(|verdict| say(format_args!("{verdict}")));
        let printed = self.document.print(&verdicts);
        let exit = if verdicts.iter().any(|verdict| !verdict.holds()) {
            Exit::Lost
        } else if verdicts.iter().all(|verdict| verdict.undetermined > 0) {
            Exit::Invalid
        } else {
            Exit::Passed
        };
        Ok(exit.with_files(printed))
    }
}
