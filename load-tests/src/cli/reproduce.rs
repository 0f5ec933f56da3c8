//! `reproduce`: a stored result run again, and whether the figures agree.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use warrior_load::compare::{Conclusion, reproduce};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::{Overrides, Profile};
use warrior_load::result::RunResult;

use super::load_args::LoadArgs;

#[derive(Args)]
pub(crate) struct ReproduceArgs {
    /// The JSON of the stored result
    result: PathBuf,
    /// Another target than the stored one
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    load: LoadArgs,
}

impl ReproduceArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let stored = RunResult::read(&self.result)?;
        let profile = Profile::parse(&stored.setup.profile_source, Path::new("."))
            .context("the stored profile cannot be read by this version")?;
        let url = self
            .url
            .clone()
            .unwrap_or_else(|| stored.setup.target.clone());
        let mut config = self
            .load
            .config(profile, &url, !stored.verification.is_empty())?;
        let setup = &stored.setup;
        config.overrides = Overrides {
            seed: setup.seed,
            speed: setup.speed,
            threads: setup.threads,
            connections: setup.connections,
            lateness_max: (self.load.lateness_max)
                .or(setup.lateness_max_us.map(Duration::from_micros)),
            capacity: setup.capacity,
        };
        let stop = stop_on_interrupt()?;
        let new = self.load.run_and_report(&config, &stop)?;
        let outcome = reproduce(&stored, &new);
        for row in &outcome.rows {
            say(format_args!(
                "{}: {:.3} of the stored figure (95 % interval {:.3} .. {:.3})",
                row.figure, row.ratio, row.interval.0, row.interval.1
            ));
        }
        outcome
            .differences
            .iter()
            .for_each(|what| say(format_args!("differs: {what}")));
        say(format_args!(
            "{}",
            match outcome.conclusion {
                Conclusion::Reproduced => "REPRODUCED: every figure agrees within a quarter",
                Conclusion::NoDifferenceShown =>
                    "NO DIFFERENCE SHOWN: too short or too noisy to say that the runs agree",
                Conclusion::NotReproduced => "NOT REPRODUCED",
            }
        ));
        Ok(match new.exit {
            Exit::Lost | Exit::Invalid => new.exit,
            _ if outcome.conclusion == Conclusion::NotReproduced => Exit::ThresholdMissed,
            Exit::Usage => Exit::Usage,
            _ => Exit::Passed,
        })
    }
}
