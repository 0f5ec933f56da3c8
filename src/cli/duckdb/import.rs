//! `warrior-api duckdb import`: a survey of the file, then the copy, then the account of it.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use warrior_api::config::{DuckDbArgs, ImportArgs};
use warrior_api::migrate::import::Import;
use warrior_api::migrate::progress::Done;
use warrior_api::migrate::rejects::Rejects;
use warrior_api::migrate::source::Source;
use warrior_api::migrate::survey::Survey;
use warrior_api::migrate::{self, MigrateError, Opened};
use warrior_api::store::schema;

use super::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::process::stop_on_signal_and;
use crate::cli::progress::Progress;

/// The exit status when rows of the file are not in PostgreSQL as they stand there.
const DIFFERS: u8 = 3;

pub(super) fn run(
    args: &DuckDbArgs,
    import: &ImportArgs,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let stop = stop_on_signal_and(move || {
        output.print_status(
            "stopping; a chunk, or an index, that is being written is finished first",
        );
    })?;
    let mut going_on = || !stop.wait_within(Duration::ZERO);
    let path = &import.source.file;
    if let Some(rejects) = &import.rejects {
        Rejects::check(rejects, path)?;
    }
    // First, so that a database that is not ready is told before gigabytes are read.
    let mut owner = super::owner(args)?;
    let mut told = |line: String| output.print_status(&line);
    if !schema::begin_load(&mut owner, &mut told, &mut going_on)? {
        return Err(MigrateError::StoppedEarly.into());
    }

    let opened = migrate::open_with_digest(args.library(), path, &mut going_on)?;
    tell_log(&opened, path, output);
    let mut file = opened.file.connect()?;
    let _interrupt = Interrupt::new(&file, &stop)?;
    let source = Source::find(&mut file, &import.source)?;
    output.print_status(&format!(
        "reading {}",
        source.described("the time of the import is stored")
    ));
    if let Some(example) = source.example_of_commas(&mut file)? {
        output.print_warning(&example);
    }
    if import.source.time_zone.is_none() && source.is_taken_as_utc() {
        output.print_warning(
            "created_at has no zone in this file, and is taken as UTC; where the old service wrote the local time of its machine, \
             give import and check its zone: --time-zone Europe/Berlin",
        );
    }
    if let Some(changes) = source.clock_changes(&mut file)? {
        output.print_warning(&changes.to_string());
    }
    let survey = survey(&source, &mut file, import, output, &mut going_on)?;
    let refused = survey.refused();
    if refused > 0 {
        output.print_result(&survey.to_string());
        if import.rejects.is_none() {
            output.print_result(&format!(
                "{refused} of {} rows cannot be taken, and nothing was copied; mend them in the file, or leave them out: \
                 --rejects FILE",
                survey.rows
            ));
            return Ok(ExitCode::from(DIFFERS));
        }
    }

    let mut copy = Import {
        source: &source,
        file: &mut file,
        owner: &mut owner,
        key: &opened.key(&source),
        rows: survey.rows - refused,
        dry_run: import.dry_run,
    };
    let done = run_copy(&mut copy, output, &mut going_on)?;
    output.print_result(&account(import, &survey, &done));
    Ok(match done.other {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(DIFFERS),
    })
}

fn run_copy(
    copy: &mut Import<'_>,
    output: Output,
    going_on: &mut dyn FnMut() -> bool,
) -> anyhow::Result<Done> {
    let mut told = |line: String| output.print_status(&line);
    let mut progress = Progress::new(output, "comparing what is there", 0, copy.rows);
    let earlier = copy.done(&mut told, &mut |compared| {
        progress.at(compared);
        going_on()
    })?;
    drop(progress);
    if earlier.rows > 0 {
        output.print_status(&format!(
            "an earlier import of this file has done {} rows; going on from there",
            earlier.rows
        ));
    }
    let mut progress = Progress::new(output, "copying", earlier.rows, copy.rows);
    let mut going_on = |done| {
        progress.at(done);
        going_on()
    };
    copy.run(earlier, &mut told, &mut going_on)
        .context("the import has not finished; run the same command again: it goes on where it was")
}

fn tell_log(opened: &Opened, path: &Path, output: Output) {
    if let Some(bytes) = opened.log {
        output.print_status(&format!(
            "a write-ahead log of {bytes} bytes stands beside {}: it is read, too, and left as it is",
            path.display()
        ));
    }
}

fn survey(
    source: &Source,
    file: &mut migrate::Connection,
    import: &ImportArgs,
    output: Output,
    going_on: &mut dyn FnMut() -> bool,
) -> anyhow::Result<Survey> {
    let rows = source.count(file)?;
    let path = import.rejects.as_deref().filter(|_| !import.dry_run);
    let mut rejects = path.map(Rejects::create).transpose()?;
    let mut progress = Progress::new(output, "looking at each row", 0, rows);
    let survey = Survey::of(source, file, rejects.as_mut(), &mut |seen| {
        progress.at(seen);
        going_on()
    })?;
    rejects.map(Rejects::finish).transpose()?;
    Ok(survey)
}

/// What was done, and the next command.
fn account(import: &ImportArgs, survey: &Survey, done: &Done) -> String {
    let stored = match import.dry_run {
        true => "would be stored",
        false => "stored",
    };
    let mut account = format!(
        "{} rows in {}: {} {stored}, {} were there already, {} have other content there",
        survey.rows,
        import.source.file.display(),
        done.stored,
        done.present,
        done.other
    );
    let refused = survey.refused();
    if let Some(path) = import.rejects.as_ref().filter(|_| refused > 0) {
        let _ = match import.dry_run {
            true => write!(account, ", {refused} would be left out"),
            false => write!(account, ", {refused} left out, see {}", path.display()),
        };
    }
    if done.other > 0 {
        account.push_str("\nPostgreSQL has other content under these ids, and keeps it:");
        for id in &done.examples {
            let _ = write!(account, "\n  {id}");
        }
        let more = done.other.saturating_sub(done.examples.len() as u64);
        if more > 0 {
            let _ = write!(
                account,
                "\n  and {more} more; all of them: {}",
                import.check_command()
            );
        }
    } else if !import.dry_run {
        let _ = write!(
            account,
            "\ncompare both sides, row by row: {}",
            import.check_command()
        );
    }
    account
}
