//! `warrior-api duckdb check`: whether PostgreSQL holds what a file holds.

use std::process::ExitCode;
use std::time::Duration;

use warrior_api::config::{CheckArgs, DuckDbArgs};
use warrior_api::migrate::left_out::LeftOut;
use warrior_api::migrate::source::Source;
use warrior_api::migrate::{self, Snapshot, compare};

use super::DIFFERENT;
use super::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::process::stop_on_signal;
use crate::cli::progress::Steps;

pub(super) fn run(
    args: &DuckDbArgs,
    check: &CheckArgs,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let stop = stop_on_signal()?;
    let left_out = (check.rejects.as_deref()).map(LeftOut::read).transpose()?;
    let file = migrate::open(args.library(), &check.source.file)?;
    let mut connection = file.connect()?;
    let _interrupt = Interrupt::new(&connection, &stop)?;
    let source = Source::find(&mut connection, &check.source)?;
    output.print_status(&format!(
        "reading {}",
        source.described("it is not compared")
    ));
    let mut owner = super::owner(args)?;
    let mut snapshot = Snapshot::take(&mut owner)?;
    let mut steps = Steps::new(output);
    let found = compare::compare_but(
        left_out.as_ref(),
        &mut snapshot,
        &mut connection,
        &source,
        &mut |doing, done, total| {
            steps.at(doing, done, total);
            !stop.wait_within(Duration::ZERO)
        },
    )?;
    drop(steps);
    output.print_result(&found.to_string());
    Ok(match found.is_none() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DIFFERENT),
    })
}
