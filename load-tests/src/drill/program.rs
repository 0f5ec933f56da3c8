//! A campaign: the negative control, then one drill after the other, and the table of all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};

use super::isolation;
use super::kind::Drill;
use super::page::page;
use super::rig::{Length, Needs, Programs};
use super::rounds::{self, Pace};
use super::table::{Controlled, Row, Table};
use crate::commit::commit;
use crate::control::{Trial, control};
use crate::files::{create_directory, write_whole};
use crate::machine::Machine;
use crate::output::say;

/// Rounds of the control: one that happens to lose nothing is repeated.
const CONTROL_ROUNDS: u32 = 5;

/// The configuration of a campaign.
#[derive(Debug)]
pub struct Campaign {
    /// What is drilled.
    pub programs: Programs,
    /// The drills, in their order.
    pub drills: Vec<&'static Drill>,
    /// Whether they are all, so that the aims of a whole campaign apply.
    pub is_whole: bool,
    /// How long they take.
    pub length: Length,
    /// Creates a second.
    pub rate: f64,
    /// Where the page, the figures and the ledgers of broken promises go.
    pub directory: PathBuf,
    /// The command line, for the page.
    pub command: String,
}

/// Runs a campaign until its end, or until `stop`.
///
/// # Errors
/// When it cannot begin, the control cannot be run, or the page cannot be written.
pub fn run(campaign: &Campaign, stop: &AtomicBool) -> anyhow::Result<Table> {
    let rooted = (campaign.drills.iter()).filter(|drill| drill.needs == Needs::Isolation);
    let rooted: Vec<&str> = rooted.map(|drill| drill.id).collect();
    ensure!(
        rooted.is_empty() || isolation::is_possible(),
        "{} need root, for namespaces of their own; run it as root, or leave them out: --without {}",
        rooted.join(", "),
        rooted.join(",")
    );
    create_directory(&campaign.directory)?;
    let mut table = Table {
        started_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        commit: commit(),
        machine: Machine::look(),
        command: campaign.command.clone(),
        whole: campaign.is_whole && campaign.length == Length::Full,
        control: Some(controlled(campaign)?),
        rows: Vec::new(),
    };
    if table
        .control
        .as_ref()
        .is_some_and(|control| control.lost == 0)
    {
        say(format_args!(
            "the negative control found no loss where writes are lost, so nothing else would prove anything; \
             `warrior-load control` runs it alone"
        ));
        write(&campaign.directory, &table)?;
        return Ok(table);
    }
    let pace = Pace {
        rate: campaign.rate,
        length: campaign.length,
    };
    for drill in &campaign.drills {
        let row = rounds::run(drill, &campaign.programs, pace, &campaign.directory);
        // A signal from the terminal has reached the programs of this drill, too.
        if stop.load(Ordering::Relaxed) {
            table.whole = false;
            say(format_args!(
                "interrupted; {} and what follows are left out",
                drill.id
            ));
            break;
        }
        say(format_args!("{}", line(&row)));
        table.rows.push(row);
        // After each drill, so that a campaign that is killed leaves what it has found.
        write(&campaign.directory, &table)?;
    }
    Ok(table)
}

/// A row as a line of the terminal.
pub(super) fn line(row: &Row) -> String {
    let figures = &row.figures;
    format!(
        "{} {}: {} requests, {} x 201, {} x 503, {} x 504, {} without an answer, lost {} of {}, healed in {:.1} s: {}",
        row.id,
        row.fault,
        figures.requests,
        figures.created,
        figures.refused,
        figures.unknown,
        figures.unanswered,
        figures.lost,
        figures.acknowledged,
        figures.healed_ms as f64 / 1e3,
        row.verdict()
    )
}

/// The negative control, until a loss is found.
fn controlled(campaign: &Campaign) -> anyhow::Result<Controlled> {
    let trial = Trial {
        server: campaign.programs.server.clone(),
        programs: campaign.programs.postgres.clone(),
        synchronous_commit: false,
        rounds: 1,
        directory: campaign.directory.join("control"),
    };
    create_directory(&trial.directory)?;
    let mut found = Controlled::default();
    for round in 0..CONTROL_ROUNDS {
        let mut verdicts = Vec::new();
        let (seed, _) = uuid::Uuid::new_v4().as_u64_pair();
        control(&trial, seed.wrapping_add(u64::from(round)), &mut verdicts)
            .context("the negative control")?;
        for verdict in &verdicts {
            found.rounds += 1;
            found.acknowledged += verdict.acknowledged;
            found.lost += verdict.lost;
        }
        if found.lost > 0 {
            break;
        }
    }
    std::fs::remove_dir_all(&trial.directory).ok();
    say(format_args!(
        "negative control: lost {} of {} acknowledged by a database that does not wait for its disk",
        found.lost, found.acknowledged
    ));
    Ok(found)
}

/// Writes the page and the figures.
pub(super) fn write(directory: &Path, table: &Table) -> anyhow::Result<()> {
    let file = |name: &str| directory.join(name);
    write_whole(&file("README.md"), &page(table))?;
    write_whole(&file("drills.json"), &serde_json::to_string_pretty(table)?)
}
