//! Applying a proposal to the files of a stack, after its search and its ledger were judged.

use anyhow::ensure;

use super::config::{Change, Config};
use super::measured::Measured;
use super::rig::Named;
use super::tuning::Tuning;
use super::{TuneSetup, backup};
use crate::exit::{Exit, Interrupted};
use crate::output::say;

/// Writes a proposal whose search and ledger hold, makes it count, and measures it once more. Where one of these fails, or
/// the ledger no longer holds, what was written is withdrawn.
pub(super) fn apply(
    setup: &TuneSetup,
    config: &Config,
    named: Option<&Named>,
    measured: &mut Measured,
    tuning: &mut Tuning,
) {
    let (current, chosen) = (tuning.current, tuning.chosen);
    if chosen == current {
        return;
    }
    if tuning.exit != Exit::Passed {
        let why = "--apply has written nothing: it writes what a whole search and its ledger prove";
        tuning.marks.push(why.to_owned());
        return;
    }
    let mut write = || -> anyhow::Result<()> {
        go_on(measured)?;
        write_proposal(setup, &config.changes(&current, &chosen), tuning)?;
        let Some(named) = named else { return Ok(()) };
        named.run_command()?;
        measured.is_given(chosen);
        measured.again(&chosen)?;
        go_on(measured)?;
        let answers = measured
            .samples
            .last()
            .map_or(0.0, |sample| sample.trial.answered);
        ensure!(
            answers > 0.0,
            "nothing is answered as prescribed since it was applied"
        );
        Ok(())
    };
    if let Err(error) = write() {
        tuning.fail_to_apply(&error);
    }
    if named.is_some() {
        tuning.samples = measured.samples.clone();
        say(format_args!("verifying the ledger once more"));
        tuning.verify(&measured.trials);
    }
    if tuning.exit != Exit::Passed && !tuning.applied.is_empty() {
        withdraw(setup, named, tuning);
    }
}

/// Lets the proposal go on, unless Ctrl-C was pressed.
///
/// # Errors
/// [`Interrupted`].
fn go_on(measured: &Measured) -> anyhow::Result<()> {
    match measured.trials.is_stopped() {
        true => Err(Interrupted.into()),
        false => Ok(()),
    }
}

/// Writes a proposal, and puts down what gives back what was there.
fn write_proposal(
    setup: &TuneSetup,
    changes: &[Change],
    tuning: &mut Tuning,
) -> anyhow::Result<()> {
    let written = backup::apply(changes, &setup.directory)?;
    tuning.applied = written
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    tuning.undo = Some(format!(
        "warrior-load tune undo --out {}",
        setup.directory.display()
    ));
    Ok(())
}

/// Gives the files back what they held before a proposal, and makes that count.
fn withdraw(setup: &TuneSetup, named: Option<&Named>, tuning: &mut Tuning) {
    let said = match backup::undo(&setup.directory) {
        Err(error) => format!("what --apply has written is still there: {error:#}"),
        Ok(_) => {
            tuning.applied.clear();
            tuning.undo = None;
            let counts = named.map_or(Ok(()), Named::run_command);
            let but = counts.map_or_else(
                |error| format!(", but not yet in the stack: {error:#}"),
                |()| String::new(),
            );
            format!("what --apply had written is withdrawn: the files are as they were{but}")
        }
    };
    tuning.marks.push(said);
}
