//! `warrior-api duckdb import`: the survey of a file.

use std::io::Write;
use std::process::ExitCode;

use warrior_api::config::{DuckDbArgs, ImportArgs};
use warrior_api::migrate;
use warrior_api::migrate::rejects::Rejects;
use warrior_api::migrate::source::Source;
use warrior_api::migrate::survey::Survey;

use crate::cli::output::Output;
use crate::cli::progress::Progress;

/// The exit status when rows of the file are not in PostgreSQL as they stand there.
const DIFFERS: u8 = 3;

pub(super) fn run(
    args: &DuckDbArgs,
    import: &ImportArgs,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let file = migrate::open(args.library(), &import.source.file)?;
    let mut connection = file.connect()?;
    let source = Source::find(&mut connection, &import.source)?;
    output.print_status(&format!("reading {}", source.described()));
    let rows = source.count(&mut connection)?;
    let mut rejects = import.rejects.as_deref().map(Rejects::create).transpose()?;
    let mut progress = Progress::new(output, "looking", 0, rows);
    let survey = Survey::of(&source, &mut connection, rejects.as_mut(), &mut |seen| {
        progress.at(seen)
    })?;
    drop(progress);
    rejects.map(Rejects::finish).transpose()?;
    if survey.refused() > 0 {
        writeln!(out, "{survey}")?;
        if import.rejects.is_none() {
            return Ok(ExitCode::from(DIFFERS));
        }
    }
    Ok(ExitCode::SUCCESS)
}
