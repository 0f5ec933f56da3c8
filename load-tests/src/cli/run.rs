//! `run`: a profile, or one request at a given rate.

use std::path::{Path, PathBuf};

use clap::Args;
use warrior_load::exit::Exit;
use warrior_load::process::stop_on_interrupt;
use warrior_load::profile::{Profile, built_in_names, split_header};

use super::load_args::{OutArgs, SendArgs, TrustArgs, WatchArgs};

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Base URL of the API with --profile; the whole URL of the request without
    #[arg(long)]
    url: String,
    #[arg(long, help = profile_help(), conflicts_with_all = ["rate", "length", "method", "body", "body_file", "expect", "header", "fields_file", "thresholds"])]
    profile: Option<String>,
    #[command(flatten)]
    quick: Quick,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    watch: WatchArgs,
    /// Verify the ledger afterwards even if no threshold asks for it
    #[arg(long)]
    verify: bool,
}

/// One request instead of a profile.
#[derive(Args)]
struct Quick {
    /// Requests per second
    #[arg(long, conflicts_with = "connections")]
    rate: Option<f64>,
    /// How long, as in 30s or 5m
    #[arg(long = "for", id = "length")]
    length: Option<String>,
    /// Method; POST when there is a body, else GET
    #[arg(long)]
    method: Option<String>,
    /// Body, with fields such as {{seq}}, {{uuid}}, {{int 1 9}}, {{letters 1 50}}
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// The same from a file
    #[arg(long)]
    body_file: Option<PathBuf>,
    /// A file with one JSON object a line, whose keys are further fields
    #[arg(long)]
    fields_file: Option<PathBuf>,
    /// A header, as in `Content-Type: application/json`; repeatable
    #[arg(long)]
    header: Vec<String>,
    /// A status that counts as success; repeatable; any 2xx without
    #[arg(long)]
    expect: Vec<u16>,
    /// A condition such as `p99 < 50ms`; repeatable
    #[arg(long = "threshold", id = "thresholds")]
    thresholds: Vec<String>,
}

fn profile_help() -> String {
    format!("{}, or the path of a TOML file", built_in_names())
}

impl RunArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let (profile, base) = match &self.profile {
            Some(name) => (Profile::load(name)?, self.url.clone()),
            None => self.quick.profile(&self.url, &self.send)?,
        };
        anyhow::ensure!(
            profile.creates() || !self.verify,
            "--verify has no effect: profile `{}` has no scenario with request `create` or \
             `create-valid`, so there is no ledger",
            profile.name
        );
        let overrides = self.send.overrides(self.out.lateness_max);
        let target = self.trust.target(&base)?;
        self.trust.check([&target])?;
        let mut config = (self.watch).config(profile, target, overrides, &self.out)?;
        config.verify = self.verify;
        let stop = stop_on_interrupt()?;
        self.watch
            .run_and_report(&config, &stop)
            .map(|result| result.exit)
    }
}

impl Quick {
    /// A profile of one scenario, and the base that its path is below.
    fn profile(&self, url: &str, send: &SendArgs) -> anyhow::Result<(Profile, String)> {
        let scheme_end = url.find("://").map_or(0, |at| at + 3);
        let path_at = url[scheme_end..]
            .find('/')
            .map_or(url.len(), |at| at + scheme_end);
        let path = if path_at == url.len() {
            "/"
        } else {
            &url[path_at..]
        };
        let length = self.length.clone().unwrap_or_else(|| "10s".to_owned());
        anyhow::ensure!(
            self.rate.is_some() || send.connections.is_some(),
            "give --rate N (open model), --connections N (closed model) or --profile NAME"
        );
        let mut headers = toml::Table::new();
        for header in &self.header {
            let (name, value) = split_header(header)?;
            headers.insert(name.to_owned(), value.into());
        }
        let mut arrivals = toml::Table::new();
        arrivals.insert("rate".into(), self.rate.unwrap_or(1.0).into());
        arrivals.insert("for".into(), length.into());
        let mut scenario = toml::Table::new();
        scenario.insert("name".into(), "request".into());
        scenario.insert("path".into(), path.into());
        scenario.insert("headers".into(), headers.into());
        scenario.insert("arrivals".into(), vec![arrivals].into());
        let expect: Vec<i64> = self
            .expect
            .iter()
            .map(|status| i64::from(*status))
            .collect();
        scenario.insert("expect".into(), expect.into());
        let mut text = |name: &str, value: Option<String>| {
            value.map(|value| scenario.insert(name.to_owned(), value.into()))
        };
        text("method", self.method.clone());
        text("body", self.body.clone());
        text(
            "body_file",
            self.body_file
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        text(
            "fields_file",
            self.fields_file
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        let mut profile = toml::Table::new();
        profile.insert("name".into(), "quick".into());
        profile.insert("thresholds".into(), self.thresholds.clone().into());
        profile.insert("scenario".into(), vec![scenario].into());
        let source = toml::to_string(&profile)?;
        let profile = Profile::parse(&source, Path::new("."))?;
        Ok((profile, url[..path_at].to_owned()))
    }
}
