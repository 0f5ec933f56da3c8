//! `warrior-api duckdb import`: a survey of the file, then the copy, then the account of it.

use std::io::{StdoutLock, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use warrior_api::config::{DuckDbArgs, ImportArgs};
use warrior_api::migrate::import::Import;
use warrior_api::migrate::progress::Done;
use warrior_api::migrate::rejects::Rejects;
use warrior_api::migrate::source::Source;
use warrior_api::migrate::survey::Survey;
use warrior_api::migrate::{self, Opened};
use warrior_api::store::schema;

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
    let mut out = std::io::stdout().lock();
    let stop = stop_on_signal_and(move || {
        output.print_status("stopping after the chunk, or the index, that is being written");
    })?;
    let mut going_on = || !stop.wait_within(Duration::ZERO);
    let path = &import.source.file;
    if let Some(rejects) = &import.rejects {
        Rejects::check(rejects, path)?;
    }
    // First, so that a database that is not ready is told before gigabytes are read.
    let mut owner = super::owner(args)?;
    let mut told = |line: String| output.print_status(&line);
    schema::begin_load(&mut owner, &mut told)?;

    let opened = migrate::open_with_digest(args.library(), path, &mut going_on)?;
    tell_log(&opened, path, output);
    let mut file = opened.file.connect()?;
    let source = Source::find(&mut file, &import.source)?;
    output.print_status(&format!(
        "reading {}",
        source.described("the time of the import is stored")
    ));
    if let Some(changes) = source.clock_changes(&mut file)? {
        output.print_warning(&changes.to_string());
    }
    let survey = survey(&source, &mut file, import, output, &mut going_on)?;
    if survey.refused() > 0 {
        writeln!(out, "{survey}")?;
        if import.rejects.is_none() {
            writeln!(
                out,
                "{} of {} rows cannot be taken, and nothing was copied; mend them in the file, or leave them out: \
                 --rejects FILE",
                survey.refused(),
                survey.rows
            )?;
            return Ok(ExitCode::from(DIFFERS));
        }
    }

    let mut copy = Import {
        source: &source,
        file: &mut file,
        owner: &mut owner,
        key: &opened.key(&source),
        rows: survey.rows - survey.refused(),
        dry_run: import.dry_run,
    };
    let earlier = copy.done(&mut told)?;
    let (started, before) = (Instant::now(), earlier.rows);
    let done = run_copy(&mut copy, earlier, output, &mut going_on)?;
    let speed = (done.rows - before) as f64 / started.elapsed().as_secs_f64();
    report(&mut out, import, &survey, &done, speed)
}

fn run_copy(
    copy: &mut Import<'_>,
    earlier: Done,
    output: Output,
    going_on: &mut dyn FnMut() -> bool,
) -> anyhow::Result<Done> {
    if earlier.rows > 0 {
        output.print_status(&format!(
            "an earlier import of this file has done {} rows; going on from there",
            earlier.rows
        ));
    }
    let mut progress = Progress::new(output, "copying", earlier.rows, copy.rows);
    let mut told = |line: String| output.print_status(&line);
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

fn report(
    out: &mut StdoutLock<'_>,
    import: &ImportArgs,
    survey: &Survey,
    done: &Done,
    speed: f64,
) -> anyhow::Result<ExitCode> {
    let stored = match import.dry_run {
        true => "would be stored",
        false => "stored",
    };
    write!(
        out,
        "{} rows in {}: {} {stored}, {} were there already, {} have other content there",
        survey.rows,
        import.source.file.display(),
        done.stored,
        done.present,
        done.other
    )?;
    match &import.rejects {
        None => {}
        Some(_) if survey.refused() == 0 => {}
        Some(_) if import.dry_run => write!(out, ", {} would be left out", survey.refused())?,
        Some(path) => write!(
            out,
            ", {} left out, see {}",
            survey.refused(),
            path.display()
        )?,
    }
    writeln!(out, " ({speed:.0} rows/s)")?;
    if done.other > 0 {
        writeln!(
            out,
            "PostgreSQL has other content under these ids, and keeps it:"
        )?;
        for id in &done.examples {
            writeln!(out, "  {id}")?;
        }
        if let Some(more) = (done.other.checked_sub(done.examples.len() as u64)).filter(|n| *n > 0)
        {
            writeln!(
                out,
                "  and {more} more; all of them: warrior-api duckdb check {}",
                import.source.words()
            )?;
        }
        return Ok(ExitCode::from(DIFFERS));
    }
    if !import.dry_run {
        writeln!(
            out,
            "compare both sides, row by row: warrior-api duckdb check {}",
            import.source.words()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
