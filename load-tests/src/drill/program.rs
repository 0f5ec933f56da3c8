//! A campaign: the negative control, then one drill after the other, and the table of all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};

use super::balancer;
use super::isolation;
use super::kind::Drill;
use super::page::page;
use super::rig::{Length, Needs};
use super::rounds::{self, Pace};
use super::table::{Controlled, Row, Table};
use crate::control::{Trial, control};
use crate::exit::Exit;
use crate::files::{create_directory, write_whole};
use crate::output::{print_error, say};
use crate::stack::Programs;

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
/// When it cannot begin, or the control cannot be run.
pub fn run(campaign: &Campaign, stop: &AtomicBool) -> anyhow::Result<Table> {
    let rooted = (campaign.drills.iter()).filter(|drill| drill.needs == Needs::Isolation);
    let rooted: Vec<&str> = rooted.map(|drill| drill.id).collect();
    ensure!(
        rooted.is_empty() || isolation::is_possible(),
        "{} need root, for namespaces of their own; run it as root, or leave them out: --without {}",
        rooted.join(", "),
        rooted.join(",")
    );
    let balanced = (campaign.drills.iter()).filter(|drill| drill.rig.balanced);
    let balanced: Vec<&str> = balanced.map(|drill| drill.id).collect();
    if !balanced.is_empty() {
        balancer::find(campaign.programs.haproxy.as_deref()).with_context(|| {
            format!(
                "{} need HAProxy; leave them out with --without {}, or",
                balanced.join(", "),
                balanced.join(",")
            )
        })?;
    }
    create_directory(&campaign.directory)?;
    let drills = campaign
        .drills
        .iter()
        .map(|drill| (drill.id.to_owned(), *drill));
    let (mut table, planned) = Table::begin(&campaign.command, drills.collect());
    table.whole = campaign.is_whole && campaign.length == Length::Full;
    let control = controlled(campaign)?;
    let is_blind = control.lost == 0;
    table.control = Some(control);
    if is_blind {
        say(format_args!(
            "the negative control found no loss where writes are lost, so nothing else would prove anything; \
             `warrior-load control` runs it alone"
        ));
        return Ok(table);
    }
    let pace = Pace {
        rate: campaign.rate,
        length: campaign.length,
    };
    in_turn(&mut table, planned, &campaign.directory, stop, |drill| {
        rounds::run(drill, &campaign.programs, pace, &campaign.directory)
    });
    Ok(table)
}

/// Does what is planned, one after the other, until `stop`.
pub(super) fn in_turn<D>(
    table: &mut Table,
    planned: Vec<D>,
    directory: &Path,
    stop: &AtomicBool,
    mut drill: impl FnMut(D) -> Row,
) {
    for what in planned {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let row = drill(what);
        let is_cut = stop.load(Ordering::Relaxed);
        // A signal from the terminal has reached the programs of this drill, too: only a broken promise is the server's.
        if is_cut && row.exit() != Exit::Lost {
            break;
        }
        say(format_args!("{}", line(&row)));
        table.rows.push(row);
        table.left_out.remove(0);
        // After each drill, so that a campaign that is killed leaves what it has found. Its end writes it again, and says
        // whether that can be done.
        if let Err(error) = write(directory, table) {
            print_error(&error);
        }
    }
    if !table.left_out.is_empty() {
        say(format_args!(
            "interrupted; left out: {}",
            table.left_out.join(", ")
        ));
    }
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
        programs: campaign.programs.clone(),
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
///
/// # Errors
/// When a file cannot be written.
pub fn write(directory: &Path, table: &Table) -> anyhow::Result<()> {
    let file = |name: &str| directory.join(name);
    write_whole(&file("README.md"), &page(table))?;
    write_whole(&file("drills.json"), &serde_json::to_string_pretty(table)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::judge::{Breach, Invariant};

    /// A campaign of three drills, in the second of which Ctrl-C comes: what is done, what is left out, how it ended.
    fn interrupted(broken: Option<Invariant>) -> (Vec<String>, Vec<String>, Exit) {
        let name = format!("warrior-load-{}", uuid::Uuid::new_v4());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).expect("a fresh directory");
        let stop = AtomicBool::new(false);
        let planned = ["X1", "X2", "X3"].map(|id| (id.to_owned(), id));
        let (mut table, planned) = Table::begin("warrior-load drill", planned.to_vec());
        in_turn(&mut table, planned, &directory, &stop, |id| {
            let mut row = Row::named(id, "nothing");
            if id == "X2" {
                stop.store(true, Ordering::Relaxed);
                row.breaches = broken
                    .map(|kind| Breach::of(kind, "why"))
                    .into_iter()
                    .collect();
            }
            row
        });
        std::fs::remove_dir_all(&directory).expect("ours");
        let exit = table.exit();
        let done = table.rows.into_iter().map(|row| row.id).collect();
        (done, table.left_out, exit)
    }

    #[test]
    fn an_interrupted_drill_is_left_out_unless_it_broke_a_promise() {
        let names = |ids: &[&str]| -> Vec<String> { ids.iter().map(|&id| id.to_owned()).collect() };
        let rest = (names(&["X1"]), names(&["X2", "X3"]), Exit::Invalid);
        assert_eq!(interrupted(None), rest);
        assert_eq!(interrupted(Some(Invariant::I6)), rest);
        let lost = (names(&["X1", "X2"]), names(&["X3"]), Exit::Lost);
        assert_eq!(interrupted(Some(Invariant::I1)), lost);
    }
}
