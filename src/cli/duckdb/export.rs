//! `warrior-api duckdb export`: the way back.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use warrior_api::config::{DuckDbArgs, ExportArgs};
use warrior_api::migrate::{Snapshot, export};

use super::DIFFERENT;
use crate::cli::output::Output;
use crate::cli::process::stop_on_signal;
use crate::cli::progress::Steps;

pub(super) fn run(
    args: &DuckDbArgs,
    export: &ExportArgs,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let stop = stop_on_signal()?;
    let mut owner = super::owner(args)?;
    let mut snapshot = Snapshot::take(&mut owner)?;
    let mut steps = Steps::new(output);
    let exported = export::export(
        args.library(),
        export,
        &mut snapshot,
        &mut |doing, done, total| {
            steps.at(doing, done, total);
            !stop.wait_within(Duration::ZERO)
        },
    )?;
    drop(steps);
    output.print_result(&format!(
        "{}\n{} rows were written to {} in {:.1} s, and compared",
        exported.found,
        exported.written,
        export.source.file.display(),
        began.elapsed().as_secs_f64()
    ));
    if !exported.timed && exported.written > 0 {
        output.print_warning(&format!(
            "created_at is not in this file: {} times are not kept",
            exported.written
        ));
    }
    if exported.in_utc && export.source.time_zone.is_none() && exported.written > 0 {
        output.print_warning(
            "created_at has no zone in this file, and times were written as UTC; where the old service writes the local time of its \
             machine, the zone is said by --time-zone Europe/Berlin",
        );
    }
    Ok(match exported.found.is_none() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DIFFERENT),
    })
}
