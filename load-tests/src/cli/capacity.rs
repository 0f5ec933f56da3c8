//! `capacity`: the highest rate at which a profile holds an objective.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use warrior_load::capacity::{CapacitySetup, find};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::profile::{Profile, parse_slo};
use warrior_load::report::{capacity_lines, write_capacity};
use warrior_load::stack::{Stack, server_program};

use super::load_args::{DatabaseArgs, DocumentArgs, OutArgs, TrialArgs, TrustArgs, search_time};

#[derive(Args)]
pub(crate) struct CapacityArgs {
    /// Base URL of the API; a throw-away stack without
    #[arg(long)]
    url: Option<String>,
    /// The server's program for the throw-away stack [default: the one beside this program]
    #[arg(long, conflicts_with = "url")]
    server: Option<PathBuf>,
    /// Base URL of the server's admin listener: its /figures, or else its /metrics, say what bound it
    #[arg(long, requires = "url")]
    admin: Option<String>,
    /// The objective: thresholds with commas between them; that no acknowledged write is lost is part of every one
    #[arg(long, default_value = "p99 < 50ms, success >= 99.9%")]
    slo: String,
    /// Profile: its requests in the proportions of their greatest rates, at any rate of all together
    #[arg(long, default_value = "steady-200")]
    profile: String,
    /// How long all trials may take; verifying their ledger comes after
    #[arg(long, default_value = "5m", value_parser = search_time)]
    budget: Duration,
    /// How long a trial is measured, after a second of warm-up
    #[arg(long, default_value = "8s", value_parser = search_time)]
    step: Duration,
    /// How often the rates around the result are repeated
    #[arg(long, default_value_t = 3)]
    repeats: u32,
    #[command(flatten)]
    trial: TrialArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    document: DocumentArgs,
}

impl CapacityArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        self.document.reserve();
        raise_descriptor_limit();
        let profile = Profile::load(&self.profile)?.with_slo(parse_slo(&self.slo)?)?;
        let given = match &self.url {
            Some(url) => Some(self.trust.target(url)?),
            None => None,
        };
        self.trust.check(given.as_ref())?;
        let admin = (self.admin.as_ref())
            .map(|url| self.trust.target(url))
            .transpose()?;
        let database = self.database.access();
        ensure!(
            database.is_none() || given.is_some(),
            "--postgres has no effect without --url: a throw-away stack has a database of its own"
        );
        let stop = stop_on_interrupt()?;
        let stack = match given {
            Some(_) => None,
            None => Some(Stack::start(&server_program(self.server)?)?),
        };
        let (target, admin, database) = match (&stack, given) {
            (Some(stack), _) => (
                stack.api.clone(),
                Some(stack.admin.clone()),
                Some(stack.database.clone()),
            ),
            (None, Some(target)) => (target, admin, database),
            (None, None) => anyhow::bail!("there is neither a --url nor a stack"),
        };
        let capacity = find(
            CapacitySetup {
                profile,
                target,
                admin,
                database,
                overrides: self.trial.overrides(self.out.lateness_max),
                step: self.step,
                budget: self.budget,
                repeats: self.repeats,
                directory: self.out.out.clone(),
            },
            &stop,
        )?;
        say(format_args!("\n{}", capacity_lines(&capacity)));
        let written = write_capacity(&capacity, &self.out.out)
            .map(|page| say(format_args!("report: {}", page.display())));
        let printed = self.document.print(&capacity);
        Ok(capacity.exit.with_files(written).with_files(printed))
    }
}
