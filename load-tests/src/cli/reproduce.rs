//! `reproduce`: a stored result run again, and whether the figures agree.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use warrior_load::compare::{Conclusion, reproduce};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::{Overrides, Profile, with_secrets};
use warrior_load::result::{RunResult, Setup};
use warrior_load::target::Target;
use warrior_load::tls::Trust;

use super::load_args::{OutArgs, TrustArgs, WatchArgs};

#[derive(Args)]
pub(crate) struct ReproduceArgs {
    /// The JSON of the stored result
    result: PathBuf,
    /// Another target than the stored one
    #[arg(long)]
    url: Option<String>,
    /// A header whose value the stored result withholds, as in `Authorization: Bearer ...`; repeatable
    #[arg(long)]
    header: Vec<String>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

impl ReproduceArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let stored = RunResult::read(&self.result)?;
        let source = with_secrets(&stored.setup.profile_source, &self.header)?;
        let directory = stored.setup.profile_directory.as_deref().unwrap_or(".");
        let profile = Profile::parse(&source, Path::new(directory)).with_context(|| {
            format!(
                "the profile in {} cannot be run again",
                self.result.display()
            )
        })?;
        profile.check_files(&stored.setup.files)?;
        let target = self.target(&stored.setup)?;
        let setup = &stored.setup;
        let overrides = Overrides {
            seed: setup.seed,
            speed: setup.speed,
            threads: setup.threads,
            connections: setup.connections,
            lateness_max: (self.out.lateness_max)
                .or(setup.lateness_max_us.map(Duration::from_micros)),
            capacity: setup.capacity,
            letters: None,
        };
        let mut config = (self.watch).config(profile, target, overrides, &self.out)?;
        config.verify = !stored.verification.is_empty();
        let stop = stop_on_interrupt()?;
        let new = self.watch.run_and_report(&config, &stop)?;
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

    /// The stored target or another, trusted by the flags or as it was.
    fn target(&self, setup: &Setup) -> anyhow::Result<Target> {
        let stored = setup.tls.as_ref().map(|tls| match &tls.ca {
            _ if !tls.verified => Trust::Anyone,
            Some(ca) => Trust::Ca(ca.path.clone().into()),
            None => Trust::System,
        });
        let trust = self.trust.given().or(stored).unwrap_or_default();
        let target = Target::trusting(self.url.as_ref().unwrap_or(&setup.target), &trust)?;
        self.trust.check([&target])?;
        ensure!(
            target.authorization.is_some() || !setup.credentials,
            "the URL of the stored run had credentials, which are not kept; give them again, as in \
             --url with USER:PASSWORD@ before the host of {}",
            setup.target
        );
        Ok(target)
    }
}
