//! Reports of a run: JSON, Markdown, HTML, and a few lines on the terminal.

mod axis;
mod bars;
mod capacity;
mod comparison;
mod environment;
mod frame;
mod heat;
mod html;
mod lines;
mod markdown;
mod over_time;
mod panel;
mod percentiles;
mod picture;
mod server_panels;
mod sweep;
mod tuning;
mod values;
mod verdict;

use std::path::{Path, PathBuf};

pub use bars::{Bar, bars};
pub use capacity::{capacity_lines, capacity_markdown, capacity_page, write_capacity};
pub use comparison::comparison_page;
pub use html::html;
pub use markdown::markdown;
pub use sweep::write_sweep;
pub use tuning::{tuning_lines, tuning_markdown, tuning_page, write_tuning};
pub use verdict::{only_too_slow, reasons, verdict_lines};

use crate::files::write_whole;
use crate::result::RunResult;

/// Where the files of a result are.
#[derive(Clone, Debug)]
pub struct ReportFiles {
    /// The result itself.
    pub json: PathBuf,
    /// For a pull request.
    pub markdown: PathBuf,
    /// For reading.
    pub html: PathBuf,
}

/// Writes all three into a directory, named by the run.
pub fn write(result: &RunResult, directory: &Path) -> anyhow::Result<ReportFiles> {
    let file = |extension: &str| directory.join(format!("{}.{extension}", result.run));
    let files = ReportFiles {
        json: file("json"),
        markdown: file("md"),
        html: file("html"),
    };
    let json = serde_json::to_string_pretty(result)? + "\n";
    for (path, text) in [
        (&files.json, json),
        (&files.markdown, markdown(result)),
        (&files.html, html(result)),
    ] {
        write_whole(path, &text)?;
    }
    Ok(files)
}
