//! hey, a load tool that many people have: its command, and what it says.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::files::write_whole;
use crate::target::Target;

/// What hey sends; it knows one body for all requests.
const BODY: &str = r#"{"name":"Ana","dob":"1990-01-31","fight_skills":["judo"]}"#;

/// The connections that it sends over.
const CONNECTIONS: u32 = 8;

/// The parts of its output that say how often what was answered; histograms and quantiles stay in the file.
const SHOWN: [&str; 2] = ["Summary:", "Status code distribution:"];

/// hey, installed.
pub(super) struct Hey(());

/// What it said.
pub(super) struct HeyOutput {
    /// The command, without the type and the text of its body.
    pub(super) command: String,
    /// The lines that are shown.
    pub(super) summary: Vec<String>,
    /// How many answers it counted as 201.
    pub(super) acknowledged: u64,
    whole: String,
}

impl Hey {
    /// # Errors
    /// When it is not installed; says what installs it.
    pub(super) fn find() -> anyhow::Result<Hey> {
        let found = Command::new("hey")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match found {
            Ok(_) => Ok(Hey(())),
            Err(error) => bail!(
                "cannot run hey, the tool to compare with: {error}; install it with `scripts/install hey` \
                 (`make demo-lost` does), or `apt-get install hey`"
            ),
        }
    }

    /// Has it create so many warriors, so many a second.
    pub(super) fn create(
        &self,
        target: &Target,
        creates: u32,
        rate: u32,
    ) -> anyhow::Result<HeyOutput> {
        let url = format!("{}/warrior", target.url.trim_end_matches('/'));
        let (creates, each) = (creates.to_string(), (rate / CONNECTIONS).to_string());
        let connections = CONNECTIONS.to_string();
        let flags = [
            "-n",
            &creates,
            "-c",
            &connections,
            "-q",
            &each,
            "-m",
            "POST",
        ];
        let output = Command::new("hey")
            .args(flags)
            .args(["-T", "application/json", "-d", BODY, &url])
            .output()
            .context("cannot run hey")?;
        let whole = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "hey ended with {}: {errors}",
            output.status
        );
        Ok(HeyOutput {
            command: format!("hey {} -T ... -d ... URL", flags.join(" ")),
            summary: shown(&whole),
            acknowledged: acknowledged(&whole).context("hey's output has no status codes")?,
            whole,
        })
    }
}

impl HeyOutput {
    /// Keeps all that it said beside the ledger.
    pub(super) fn keep(&self, directory: &Path) -> anyhow::Result<()> {
        write_whole(&directory.join("demo-lost-hey.txt"), &self.whole)
    }
}

fn shown(output: &str) -> Vec<String> {
    let mut is_shown = false;
    let mut lines = Vec::new();
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            is_shown = SHOWN.contains(&line.trim_end());
        }
        if is_shown {
            lines.push(line.trim_end().replace('\t', " "));
        }
    }
    lines
}

/// The answers 201; `None` when it lists no status at all.
fn acknowledged(output: &str) -> Option<u64> {
    let (_, distribution) = output.split_once(SHOWN[1])?;
    let lines = distribution.lines().map(str::trim);
    let created = lines.filter_map(|line| line.strip_prefix("[201]"));
    let counts = created.filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Some(counts.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\nSummary:\n  Total:\t5.0021 secs\n  Requests/sec:\t399.83\n  \n\
                          Response time histogram:\n  0.000 [1]\t|\n\nStatus code distribution:\n\
                          \x20 [201]\t1990 responses\n  [503]\t10 responses\n\n";

    #[test]
    fn its_counts_are_shown_and_read() {
        assert_eq!(acknowledged(OUTPUT), Some(1990));
        assert_eq!(acknowledged("Summary:\n"), None);
        assert_eq!(
            shown(OUTPUT),
            [
                "Summary:",
                "  Total: 5.0021 secs",
                "  Requests/sec: 399.83",
                "Status code distribution:",
                "  [201] 1990 responses",
                "  [503] 10 responses",
            ]
        );
    }
}
