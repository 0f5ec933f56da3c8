//! `compare`: two targets or configurations in turn, and which is better.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use warrior_load::compare::{Finding, Side, compare};
use warrior_load::exit::Exit;
use warrior_load::files::{create_directory, write_whole};
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::profile::Profile;
use warrior_load::report::comparison_page;

use super::load_args::{DocumentArgs, OutArgs, SendArgs, TrustArgs};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Base URL of A, what is compared with
    #[arg(long)]
    a: String,
    /// Base URL of B, what is judged; A's without, when a configuration is switched
    #[arg(long)]
    b: Option<String>,
    /// Profile: each slice sends its scenarios at their greatest rate
    #[arg(long, default_value = "steady-200")]
    profile: String,
    /// Another profile for B
    #[arg(long)]
    b_profile: Option<String>,
    /// Shell command that switches to A's configuration before each of its slices
    #[arg(long)]
    before_a: Option<String>,
    /// The same for B
    #[arg(long)]
    before_b: Option<String>,
    /// Length of a slice
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    slice: Duration,
    /// Pairs of slices
    #[arg(long, default_value_t = 8)]
    pairs: usize,
    /// The figure that the verdict is about: rate, success, p50, p90, p99 or "service p50"
    #[arg(long, default_value = "p99")]
    decide: String,
    /// Differences under this many percent do not count
    #[arg(long, default_value_t = 2.0)]
    least: f64,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    document: DocumentArgs,
}

impl CompareArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        self.document.reserve();
        ensure!(
            (0.0..100.0).contains(&self.least),
            "--least {}: want a percentage from 0 to below 100",
            self.least
        );
        let profile = Profile::load(&self.profile)?;
        let other = self.b_profile.as_deref().map(Profile::load).transpose()?;
        let a = self.trust.target(&self.a)?;
        let b = self.trust.target(self.b.as_ref().unwrap_or(&self.a))?;
        self.trust.check([&a, &b])?;
        let a = Side::new(a, &profile, self.slice, self.before_a)?;
        let b = Side::new(
            b,
            other.as_ref().unwrap_or(&profile),
            self.slice,
            self.before_b,
        )?;
        let decides = (self.decide.as_str(), self.least / 100.0);
        let overrides = self.send.overrides(self.out.lateness_max);
        let stop = stop_on_interrupt()?;
        create_directory(&self.out.out)?;
        let comparison = compare([&a, &b], &overrides, self.pairs, decides, &stop)?;
        say(format_args!("\n{}", comparison.table()));
        let name = format!("compare-{}", uuid::Uuid::now_v7());
        let file = |extension: &str| self.out.out.join(format!("{name}.{extension}"));
        let json = serde_json::to_string_pretty(&comparison)? + "\n";
        let written = write_whole(&file("json"), &json)
            .and_then(|()| write_whole(&file("md"), &comparison.table()))
            .and_then(|()| write_whole(&file("html"), &comparison_page(&comparison)))
            .map(|()| say(format_args!("report: {}", file("html").display())));
        let exit = match comparison.verdict {
            _ if !comparison.invalid.is_empty() => Exit::Invalid,
            Finding::Worse => Exit::Worse,
            Finding::Better | Finding::NoDifferenceShown => Exit::Passed,
        };
        let printed = self.document.print(&comparison);
        Ok(exit.with_files(written).with_files(printed))
    }
}
