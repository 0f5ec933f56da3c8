//! `verify`, `stress` and `control`.

use std::path::PathBuf;

use clap::Args;
use warrior_load::control::{Trial, control, newest_programs};
use warrior_load::exit::Exit;
use warrior_load::files::create_directory;
use warrior_load::ledger;
use warrior_load::output::say;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::Profile;
use warrior_load::stress::Stack;
use warrior_load::target::Target;
use warrior_load::verify::{Exclusivity, verify_directly, verify_ledger};

use super::{Common, access, run_and_report};

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The ledger
    ledger: PathBuf,
    /// Base URL of the API; the ledger's own target without
    #[arg(long)]
    url: Option<String>,
    /// Direct connection: `host=... port=... user=... dbname=...`
    #[arg(long)]
    postgres: Option<String>,
    /// A file with its password
    #[arg(long)]
    postgres_password_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct StressArgs {
    /// The server's binary
    #[arg(long, default_value = "target/release/warrior-api")]
    server: PathBuf,
    /// The profile
    #[arg(long, default_value = "lab")]
    profile: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct ControlArgs {
    /// The server's binary
    #[arg(long, default_value = "target/release/warrior-api")]
    server: PathBuf,
    /// Where initdb, postgres and psql are [default: the newest under /usr/lib/postgresql]
    #[arg(long)]
    programs: Option<PathBuf>,
    /// `off` must lose acknowledged writes, `on` must lose none
    #[arg(long, default_value = "off", value_parser = ["on", "off"])]
    synchronous_commit: String,
    /// How often
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Where the ledgers go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
}

impl StressArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let profile = Profile::load(&self.profile)?;
        let stop = stop_on_interrupt()?;
        let stack = Stack::start(&self.server)?;
        let mut order = self.common.order(profile, &stack.api.url, true)?;
        order.admin = order.admin.or(Some(stack.admin.clone()));
        order.database = order.database.or(Some(stack.database.clone()));
        order.fsync_directory = order.fsync_directory.or(Some(stack.data.clone()));
        run_and_report(&order, &self.common, &stop).map(|result| result.exit)
    }
}

impl ControlArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        create_directory(&self.out)?;
        let trial = Trial {
            server: std::path::absolute(&self.server)?,
            programs: self.programs.map_or_else(newest_programs, Ok)?,
            synchronous_commit: self.synchronous_commit == "on",
            rounds: self.rounds,
            directory: self.out,
        };
        let mut verdicts = Vec::new();
        let seed = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
        let ended = control(&trial, seed, &mut verdicts);
        let lost: u64 = verdicts.iter().map(|verdict| verdict.lost).sum();
        let rounds = verdicts.iter().filter(|verdict| verdict.lost > 0).count();
        say(format_args!(
            "lost {lost} in {rounds} of {} rounds",
            verdicts.len()
        ));
        if trial.synchronous_commit && lost > 0 {
            return Ok(Exit::Lost.with_files(ended));
        }
        ended?;
        if verdicts.iter().any(|verdict| verdict.acknowledged == 0) {
            say(format_args!(
                "the control failed: in a round nothing was acknowledged, so nothing could be lost"
            ));
            return Ok(Exit::Invalid);
        }
        Ok(if trial.synchronous_commit || lost > 0 {
            Exit::Passed
        } else {
            say(format_args!(
                "the control failed: losses were provoked and not one was found"
            ));
            Exit::Invalid
        })
    }
}

impl VerifyArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let (header, entries) = ledger::read(&self.ledger)?;
        let database = access(self.postgres.as_ref(), self.postgres_password_file.as_ref());
        let target = Target::parse(self.url.as_deref().unwrap_or(&header.target))?;
        let verdicts = match (&database, target.reach()) {
            // The server may be gone by now; the table alone can still be judged.
            (Some(access), Err(_)) if self.url.is_none() => {
                vec![verify_directly(access, &header, &entries, None)?]
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
