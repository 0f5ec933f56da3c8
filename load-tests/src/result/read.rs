//! The reader of a stored result: what no run writes is refused, in a sentence.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::{EndpointResult, RunResult, SCHEMA};

/// The part of the document that every version has.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

impl RunResult {
    /// Reads a stored result.
    ///
    /// # Errors
    /// When the file cannot be read, when another version wrote it, and when it is damaged.
    pub fn read(path: &Path) -> anyhow::Result<RunResult> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the result {shown}"))?;
        let version: Version = serde_json::from_str(&text)
            .with_context(|| format!("{shown} is no result; want the .json that a run wrote"))?;
        ensure!(
            version.schema == SCHEMA,
            "{shown} has schema {}, this program reads {SCHEMA}",
            version.schema
        );
        let result: RunResult = serde_json::from_str(&text)
            .with_context(|| format!("{shown} is damaged, or not of this version"))?;
        result
            .check()
            .with_context(|| format!("{shown} is damaged"))?;
        Ok(result)
    }

    /// What the shapes of the types leave open, and readers rely on.
    fn check(&self) -> anyhow::Result<()> {
        self.run
            .parse::<uuid::Uuid>()
            .with_context(|| format!("run `{}` is no id, which names its files", self.run))?;
        self.endpoints
            .iter()
            .chain([&self.total])
            .try_for_each(EndpointResult::check)?;
        for metric in &self.server {
            ensure!(
                metric.values.len() == self.series.len(),
                "server: `{}` has values of {} of {} seconds",
                metric.name,
                metric.values.len(),
                self.series.len()
            );
        }
        for (place, second) in self.series.iter().enumerate() {
            ensure!(
                second.second == place as u64,
                "series: second {} stands in place {place}",
                second.second
            );
            ensure!(
                second.endpoints.len() == self.endpoints.len(),
                "series: second {place} has {} of {} endpoints",
                second.endpoints.len(),
                self.endpoints.len()
            );
        }
        Ok(())
    }
}

impl EndpointResult {
    fn check(&self) -> anyhow::Result<()> {
        let name = &self.name;
        let counts = self.outcomes.values().chain(self.unsent.values());
        let ended = counts.copied().fold(0, u64::saturating_add);
        ensure!(
            self.succeeded <= ended,
            "`{name}`: {} of {ended} requests succeeded",
            self.succeeded
        );
        ensure!(
            self.histogram().is_some(),
            "`{name}`: latency_hdr is no histogram"
        );
        Ok(())
    }
}
